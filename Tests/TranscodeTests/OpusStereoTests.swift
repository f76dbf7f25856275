import COpus
import CShims
import TestKit
import Testing
import Transcode

/// What browsers send where a page asks for stereo comes as one channel at its level.
@Suite("Stereo Opus")
struct OpusStereoTests {
    /// The parts of the codec, each forced on a stereo encoder; the first five bits of a packet say which made it (RFC 6716 3.1).
    enum Part: String, CaseIterable, CustomTestStringConvertible {
        case silk, hybrid, celt

        var mode: Int32 {
            switch self {
            case .silk: 1000
            case .hybrid: 1001
            case .celt: 1002
            }
        }

        var bandwidth: Int32 { self == .silk ? OPUS_BANDWIDTH_WIDEBAND : OPUS_BANDWIDTH_FULLBAND }

        var configurations: ClosedRange<UInt8> {
            switch self {
            case .silk: 0...11
            case .hybrid: 12...15
            case .celt: 16...31
            }
        }

        var testDescription: String { rawValue }
    }

    /// How much the sound of one channel loses where the other is silent, in decibels.
    private static let half = 6.02

    @Test("The same on both sides keeps its level", arguments: Part.allCases, OpusDecoder.rates)
    func both(part: Part, rate: Int) throws {
        let voice = SoundMaterial.speech(seconds: 3, rate: 48000, seed: 4)
        let loss = try levelLost(part, left: voice, right: voice, at: rate)
        #expect(abs(loss) < 0.2, "\(loss) dB")
    }

    @Test("One side alone is mixed with the silence of the other", arguments: Part.allCases, [true, false])
    func oneSide(part: Part, isLeft: Bool) throws {
        let voice = SoundMaterial.speech(seconds: 3, rate: 48000, seed: 4)
        let silence = [Int16](repeating: 0, count: voice.count)
        let loss = try levelLost(part, left: isLeft ? voice : silence, right: isLeft ? silence : voice, at: 48000)
        #expect(abs(loss - Self.half) < 0.5, "\(loss) dB")
    }

    /// How much quieter than the louder channel the decoded sound is, in decibels, by what lies below 3 kHz: every rate and
    /// every part of the codec has that.
    private func levelLost(_ part: Part, left: [Int16], right: [Int16], at rate: Int) throws -> Double {
        let decoder = try #require(OpusDecoder(rate: rate))
        let packets = try encoded(part, left, right)
        let heard = packets.flatMap { decoder.decode($0) }
        let louder = left.level > right.level ? left : right
        return low(louder, rate: 48000) - low(heard, rate: rate)
    }

    private func low(_ samples: [Int16], rate: Int) -> Double {
        let resampler = rate == 8000 ? nil : Resampler(from: rate, to: 8000)
        return (resampler?.process(samples, chunk: rate / 50) ?? samples).level
    }

    private func encoded(_ part: Part, _ left: [Int16], _ right: [Int16]) throws -> [[UInt8]] {
        let encoder = try #require(opus_encoder_create(48000, 2, OPUS_APPLICATION_AUDIO, nil))
        defer { opus_encoder_destroy(encoder) }
        // OPUS_SET_FORCE_MODE is libopus's own, for its tests.
        let forceMode: Int32 = 11002
        for (request, value) in [
            (OPUS_SET_FORCE_CHANNELS_REQUEST, 2), (forceMode, part.mode), (OPUS_SET_BANDWIDTH_REQUEST, part.bandwidth),
            (OPUS_SET_BITRATE_REQUEST, 96_000),
        ] as [(Int32, Int32)] {
            try #require(tandem_opus_encoder_set(encoder, request, value) == OPUS_OK)
        }
        var packets: [[UInt8]] = []
        for start in stride(from: 0, to: left.count - 959, by: 960) {
            let frame = (start..<start + 960).flatMap { [left[$0], right[$0]] }
            var packet = [UInt8](repeating: 0, count: 1275)
            let length = opus_encode(encoder, frame, 960, &packet, 1275)
            try #require(length > 2)
            // The third bit from the top of the rest is stereo; libopus gets there within a few packets.
            if packets.count > 5 {
                try #require(part.configurations.contains(packet[0] >> 3) && packet[0] & 0b100 != 0)
            }
            packets.append(Array(packet.prefix(Int(length))))
        }
        return packets
    }
}
