import TestKit
import Testing
import Transcode

@testable import Gateway

@Suite struct RealtimeFormatTests {
    /// Speech-like sound as bytes of a format.
    private func bytes(_ format: RealtimeFormat, seed: UInt64 = 1, gain: Float = 1) -> [Int16] {
        let rate = format.rate
        let sound = SoundMaterial.speech(seconds: 0.4, rate: rate, seed: seed).map { Int16(Float($0) * gain) }
        var raw = [UInt8](repeating: 0, count: sound.count * 2)
        let count = raw.withUnsafeMutableBytes { target in sound.withUnsafeBufferPointer { format.encode($0, into: target) } }
        return raw.prefix(count).map { Int16($0) }
    }

    @Test(arguments: [RealtimeFormat.pcm, .pcmu, .pcma], 1...6) func theTruthIsBelieved(_ format: RealtimeFormat, _ seed: Int) {
        for gain: Float in [1, 0.1] {
            bytes(format, seed: UInt64(seed), gain: gain).withUnsafeBufferPointer { #expect(format.contradiction(in: $0) == nil) }
        }
    }

    @Test(arguments: 1...6) func linearSamplesAreNotTakenForPCMUAndTheOtherWayRound(_ seed: Int) {
        bytes(.pcm, seed: UInt64(seed)).withUnsafeBufferPointer { #expect(RealtimeFormat.pcmu.contradiction(in: $0) == .pcm) }
        bytes(.pcmu, seed: UInt64(seed)).withUnsafeBufferPointer { #expect(RealtimeFormat.pcm.contradiction(in: $0) == .pcmu) }
        bytes(.pcma, seed: UInt64(seed)).withUnsafeBufferPointer { #expect(RealtimeFormat.pcm.contradiction(in: $0) == .pcma) }
    }

    @Test func silenceAndScrapsSayNothing() {
        let silence = [Int16](repeating: 255, count: 4000)
        silence.withUnsafeBufferPointer { #expect(RealtimeFormat.pcmu.contradiction(in: $0) == nil) }
        silence.prefix(100).withUnsafeBufferPointer { #expect(RealtimeFormat.pcm.contradiction(in: $0) == nil) }
    }

    @Test func everyFormatComesBack() {
        let sound = SoundMaterial.tone(hertz: 400, seconds: 0.1, rate: 8000)
        for format in [RealtimeFormat.pcm, .pcmu, .pcma] {
            var raw = [UInt8](repeating: 0, count: sound.count * 2)
            let count = raw.withUnsafeMutableBytes { target in sound.withUnsafeBufferPointer { format.encode($0, into: target) } }
            let bytes = raw.prefix(count).map { Int16($0) }
            var back = [Int16](repeating: 0, count: sound.count)
            bytes.withUnsafeBufferPointer { bytes in back.withUnsafeMutableBufferPointer { format.decode(bytes, into: $0) } }
            #expect(zip(back, sound).allSatisfy { abs(Int($0) - Int($1)) <= max(8, abs(Int($1)) / 16) })
        }
    }
}
