import Foundation
import Testing

@testable import Transcode

/// What keeps the fax detector from hearing every line must let its tones through, and little else.
struct ToneGateTests {
    private func opened(_ samples: [Int16], frequency: Float = 1100) -> Int {
        var gate = ToneGate(frequency: frequency, rate: 8000)
        return stride(from: 0, to: samples.count - 159, by: 160).count { start in
            samples[start..<(start + 160)].withUnsafeBufferPointer { gate.opens(for: $0) }
        }
    }

    private func sine(_ hertz: Double, amplitude: Double = 3000) -> [Int16] {
        (0..<8000).map { Int16(amplitude * sin(2 * Double.pi * hertz * Double($0) / 8000)) }
    }

    @Test(arguments: [1062.0, 1100, 1138], [100.0, 3000, 20_000])
    func itOpensForTheToneWithinItsLimits(hertz: Double, amplitude: Double) {
        #expect(opened(sine(hertz, amplitude: amplitude)) == 50)
    }

    @Test(arguments: [200.0, 440, 620, 1700, 2100, 3000])
    func otherTonesDoNotOpenIt(hertz: Double) { #expect(opened(sine(hertz)) == 0) }

    @Test func silenceDoesNotOpenIt() { #expect(opened([Int16](repeating: 0, count: 8000)) == 0) }

    /// 200 ms, in which the detector sees that the tone is over.
    @Test func itStaysOpenForAWhile() { #expect(opened(sine(1100) + [Int16](repeating: 0, count: 8000)) == 60) }
}
