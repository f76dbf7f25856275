import TestKit
import Testing
import Transcode

@Suite("L16")
struct L16Tests {
    @Test("Samples cross unchanged, the high byte first", arguments: L16.rates)
    func unchanged(rate: Int) throws {
        let encoder = try #require(L16Encoder(rate: rate, frameMilliseconds: 20))
        let decoder = try #require(L16Decoder(rate: rate))
        #expect(encoder.encode([0x0102, -2, .min, .max]) == [1, 2, 0xFF, 0xFE, 0x80, 0, 0x7F, 0xFF])
        let sound = SoundMaterial.noise(seconds: 0.2, rate: rate, level: -6, seed: 5)
        #expect(sound.chunks(of: encoder.frameSamples).flatMap { decoder.decode(encoder.encode($0)) } == sound)
        // Any address will do: a payload begins where its header ends.
        let shifted = [9] + encoder.encode([258, -2])
        #expect(shifted.withUnsafeBytes { bytes in filled(2) { decoder.decode(UnsafeRawBufferPointer(rebasing: bytes[1...]), into: $0) } } == [258, -2])
    }

    @Test("Half samples, nothing, and what is longer than the room are refused")
    func refused() throws {
        let decoder = try #require(L16Decoder(rate: 16000))
        for payload in [[], [1], [1, 2, 3]] as [[UInt8]] {
            #expect(decoder.decode(payload).isEmpty)
            #expect(payload.withUnsafeBytes { decoder.duration(of: $0) } == nil)
        }
        let payload = [UInt8](repeating: 3, count: 640)
        #expect(filled(319) { output in payload.withUnsafeBytes { decoder.decode($0, into: output) } }.isEmpty)
        #expect(decoder.decode(payload).count == 320)
        let encoder = try #require(L16Encoder(rate: 16000))
        #expect(encoder.encode([Int16](repeating: 1, count: 1001)).isEmpty, "more than the room")
        #expect(L16Decoder(rate: 44_100) == nil && L16Encoder(rate: 11_025) == nil)
    }

    @Test("A lost frame is mostly restored")
    func concealment() throws {
        let voice = SoundMaterial.tone(hertz: 200, seconds: 0.5, rate: 16000, level: -18)
        let encoder = try #require(L16Encoder(rate: 16000))
        let decoder = try #require(L16Decoder(rate: 16000))
        for frame in voice.prefix(3200).chunks(of: 320) { _ = decoder.decode(encoder.encode(frame)) }
        let lost = Array(voice[3200..<3520])
        #expect(decoder.conceal(samples: 320).difference(to: lost) < 0.6 * [Int16](repeating: 0, count: 320).difference(to: lost))
    }
}

extension ArraySlice {
    fileprivate func chunks(of size: Int) -> [[Element]] { Array(self).chunks(of: size) }
}
