import TestKit
import Testing
import Transcode

/// What a peer's format parameters ask of an Opus stream of ours (RFC 7587 section 6.1).
@Suite("Opus as the peer wants it")
struct OpusNegotiatedTests {
    @Test("No wider band is coded than the peer plays", arguments: [(48000, 48000), (24000, 24000), (16000, 16000), (8000, 8000), (6000, 8000)])
    func bandwidth(playbackRate: Int, widest: Int) throws {
        let sound = SoundMaterial.noise(seconds: 1, rate: 48000, level: -20, seed: 9)
        for payload in try packets(of: sound, OpusEncoder.Settings(bitrate: 64_000, playbackRate: playbackRate)) {
            let band = try #require(Self.rate(of: payload))
            #expect(band <= widest)
        }
    }

    @Test("A constant bitrate makes packets of one length, a variable one does not")
    func constantBitrate() throws {
        let speech = SoundMaterial.speech(seconds: 2, rate: 48000, seed: 3)
        let constant = Set(try packets(of: speech, OpusEncoder.Settings(isConstantBitrate: true)).map(\.count))
        let variable = Set(try packets(of: speech, OpusEncoder.Settings()).map(\.count))
        #expect(constant == [60])
        #expect(variable.count > 3)
    }

    private func packets(of samples: [Int16], _ settings: OpusEncoder.Settings) throws -> [[UInt8]] {
        let encoder = try #require(OpusEncoder(rate: 48000, settings: settings))
        return samples.chunks(of: encoder.frameSamples).map { encoder.encode($0) }
    }

    /// The sample rate that the packet's band needs (RFC 6716 table 2).
    private static func rate(of payload: [UInt8]) -> Int? {
        guard let first = payload.first else { return nil }
        return switch first >> 3 {
        case 0...3, 16...19: 8000
        case 4...7: 12000
        case 8...11, 20...23: 16000
        case 12...13, 24...27: 24000
        default: 48000
        }
    }
}
