import Foundation
import TestKit
import Testing

@testable import Transcode

/// The folded transform finds what the plain one does.
struct ToneBandsTests {
    /// What share of the samples' energy each band holds.
    private func shares(_ samples: [Int16]) -> [Double] {
        let energy = samples.reduce(0.0) { $0 + Double($1) * Double($1) }
        return ToneBands.ranges.map { range in
            stride(from: range.lowerBound, through: range.upperBound, by: 50).reduce(0.0) { sum, hertz in
                let step = 2 * Double.pi * Double(hertz) / 8000
                let real = samples.enumerated().reduce(0.0) { $0 + Double($1.element) * cos(step * Double($1.offset)) }
                let imaginary = samples.enumerated().reduce(0.0) { $0 + Double($1.element) * sin(step * Double($1.offset)) }
                return sum + (real * real + imaginary * imaginary) * 2 / Double(samples.count)
            } / energy
        }
    }

    /// Tones of every place of a band and between, in noise that leaves them just enough, or not.
    @Test(arguments: [30.0, 8, 7, 5])
    func isWhatThePlainTransformFinds(ratio: Double) {
        var bands = ToneBands()
        var counts = [0, 0, 0, 0, 0]
        for hertz in stride(from: 275.0, through: 2000, by: 12.5) {
            let tone = SoundMaterial.tone(hertz: hertz, seconds: 0.02, rate: 8000, level: -20)
            let noise = SoundMaterial.noise(seconds: 0.02, rate: 8000, level: -20 - ratio, seed: UInt64(hertz * 2))
            let samples = zip(tone, noise).map { $0 &+ $1 }
            let energy = samples.withUnsafeBufferPointer { $0.baseAddress.map { bands.take($0) } ?? 0 }
            #expect(abs(Level.dBFS(rms: energy.squareRoot()) - Float(samples.level)) < 0.001)
            let shares = shares(samples)
            // A share as near to the limit as rounding is may fall on either side.
            guard shares.allSatisfy({ abs($0 - 0.85) > 0.0001 }) else { continue }
            let expected = shares.firstIndex { $0 >= 0.85 }
            #expect(bands.dominant == expected, "\(hertz) Hz")
            counts[expected ?? 4] += 1
        }
        // Of each band there were some, but in the most noise.
        #expect(counts[4] > 10)
        if ratio > 7.5 { #expect(counts.allSatisfy { $0 > 3 }) }
    }

    @Test func silenceHasNone() {
        var bands = ToneBands()
        let energy = [Int16](repeating: 0, count: 160).withUnsafeBufferPointer { $0.baseAddress.map { bands.take($0) } }
        #expect(energy == 0 && bands.dominant == nil)
    }
}
