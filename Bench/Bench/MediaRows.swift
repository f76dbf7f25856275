import CBench
import RTP
import Transcode

/// One direction of one leg, 500 frames of 20 ms in order: RTPSession, SRTPContext and the codecs against the same
/// libraries called by a C loop. Both sides must put out the same bytes.
struct MediaRows {
    static let frames = 500
    static let peer = TransportAddress(ipv4: 0x7F00_0001, port: 4000)
    static let ssrc: UInt32 = 0x1234_5678
    static let firstSequence: UInt16 = 1000
    static let firstTimestamp: UInt32 = 0x8000_0000

    /// Twice per direction, so that a context can be made of it.
    static func key(_ profile: SRTPProfile) -> [UInt8] { (0..<(profile.keyLength + profile.saltLength)).map { UInt8($0 * 7 + 3) } }

    static func rows() throws -> [Comparison] {
        try [
            receiving("trunk → agent, PCMU", leg: .mu),
            sending("agent → trunk, PCMU", leg: .mu),
            receiving("browser → agent, GCM, Opus to 8 kHz", leg: .opus(8000, .aeadAES128GCM)),
            receiving("browser → agent, GCM, Opus to 16 kHz", leg: .opus(16_000, .aeadAES128GCM)),
            sending("agent → browser, Opus from 8 kHz, GCM", leg: .opus(8000, .aeadAES128GCM)),
            sending("agent → browser, Opus from 16 kHz, GCM", leg: .opus(16_000, .aeadAES128GCM)),
        ]
    }

    /// The peer's packets, as they come from the wire, against the samples an agent gets.
    private static func receiving(_ name: String, leg: Leg) throws -> Comparison {
        let packets = try leg.packetsOfPeer(frames: frames)
        return Comparison(
            group: "one direction, per 20 ms frame", name: name, items: frames,
            bare: {
                let state = try BareLeg(leg, isSending: false)
                let work = packets.copy()
                let output = SampleSlab(frames: frames, frameSamples: leg.rate / 50)
                return Round(digest: { output.digest }) {
                    var view = work.view
                    guard bench_receive(state.handle, &view, output.samples, Int32(output.frameSamples)) == frames else {
                        throw BenchFailure("the C loop could not receive")
                    }
                }
            },
            ours: {
                let receiver = try Receiver(leg)
                let work = packets.copy()
                let output = SampleSlab(frames: frames, frameSamples: leg.rate / 50)
                return Round(digest: { output.digest }) { try receiver.receive(work, into: output) }
            })
    }

    /// Samples of an agent against packets ready for the socket.
    private static func sending(_ name: String, leg: Leg) throws -> Comparison {
        let speech = Speech.make(rate: leg.rate, frames: frames)
        return Comparison(
            group: "one direction, per 20 ms frame", name: name, items: frames,
            bare: {
                let state = try BareLeg(leg, isSending: true)
                let output = PacketSlab(count: frames)
                return Round(digest: { output.digest }) {
                    var view = output.view
                    guard bench_send(state.handle, speech.samples, Int32(speech.frameSamples), &view) == frames else {
                        throw BenchFailure("the C loop could not send")
                    }
                }
            },
            ours: {
                let sender = try Sender(leg)
                let output = PacketSlab(count: frames)
                return Round(digest: { output.digest }) { try sender.send(speech, into: output) }
            })
    }
}
