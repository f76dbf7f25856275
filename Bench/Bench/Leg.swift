import CBench
import NIOCore
import RTP
import Transcode

/// What a direction is made of.
struct Leg {
    let rate: Int
    let profile: SRTPProfile?
    let isOpus: Bool
    var payloadType: UInt8 { isOpus ? 111 : 0 }
    var clockRate: Int { isOpus ? 48_000 : 8000 }
    var bitrate: Int { 24_000 }
    var complexity: Int { 5 }

    static let mu = Leg(rate: 8000, profile: nil, isOpus: false)
    static func opus(_ rate: Int, _ profile: SRTPProfile?) -> Leg { Leg(rate: rate, profile: profile, isOpus: true) }

    func makeContext() throws -> SRTPContext? {
        guard let profile else { return nil }
        let key = MediaRows.key(profile)
        guard let context = SRTPContext(profile: profile, sendKey: key, receiveKey: key) else {
            throw BenchFailure("OpenSSL lacks the profile")
        }
        return context
    }

    func makeSession() -> RTPSession {
        var generator = SystemRandomNumberGenerator()
        let format = RTPFormat(payloadType: payloadType, clockRate: clockRate)
        var configuration = RTPSession.Configuration(
            formats: RTPFormats(receiveAudio: [format], sendAudio: format), cname: "bench", using: &generator)
        configuration.localSSRC = MediaRows.ssrc
        configuration.initialSequence = MediaRows.firstSequence
        configuration.initialTimestamp = MediaRows.firstTimestamp
        return RTPSession(configuration: configuration, now: .uptimeNanoseconds(0))
    }

    func makeEncoder() throws -> any AudioEncoder {
        guard isOpus else { return G711Encoder(law: .mu) }
        guard let encoder = OpusEncoder(rate: rate, bitrate: bitrate, complexity: complexity) else { throw BenchFailure("no Opus encoder") }
        return encoder
    }

    func makeDecoder() throws -> any AudioDecoder {
        guard isOpus else { return G711Decoder(law: .mu) }
        guard let decoder = OpusDecoder(rate: rate) else { throw BenchFailure("no Opus decoder") }
        return decoder
    }

    /// What a phone, or a browser with a 48 kHz microphone at 32 kbit/s with FEC, sends.
    func packetsOfPeer(frames: Int) throws -> PacketSlab {
        let speech = Speech.make(rate: isOpus ? 48_000 : 8000, frames: frames)
        let encoder: any AudioEncoder
        if isOpus {
            guard let opus = OpusEncoder(rate: 48_000, bitrate: 32_000, complexity: 9, expectedLoss: 10) else {
                throw BenchFailure("no Opus encoder")
            }
            encoder = opus
        } else {
            encoder = G711Encoder(law: .mu)
        }
        let packets = PacketSlab(count: frames)
        try Sender(self, encoder: encoder).send(speech, into: packets)
        return packets
    }
}

/// The state of the C loop for one direction.
final class BareLeg {
    let handle: OpaquePointer

    init(_ leg: Leg, isSending: Bool) throws {
        var settings = bench_leg_settings()
        settings.codec = Int32(leg.isOpus ? BENCH_CODEC_OPUS : BENCH_CODEC_MU)
        settings.sample_rate = Int32(leg.rate)
        settings.bitrate = Int32(leg.bitrate)
        settings.complexity = Int32(leg.complexity)
        settings.is_sending = isSending ? 1 : 0
        if let profile = leg.profile {
            settings.srtp = Int32(profile == .aeadAES128GCM ? BENCH_SRTP_GCM : BENCH_SRTP_CM)
            withUnsafeMutableBytes(of: &settings.key) { $0.copyBytes(from: MediaRows.key(profile)) }
        }
        settings.ssrc = MediaRows.ssrc
        settings.sequence = MediaRows.firstSequence
        settings.timestamp = MediaRows.firstTimestamp
        settings.timestamp_step = UInt32(leg.clockRate / 50)
        settings.payload_type = leg.payloadType
        guard let handle = bench_leg_new(&settings) else { throw BenchFailure("the C loop could not be set up") }
        self.handle = handle
    }

    deinit {
        bench_leg_free(handle)
    }
}
