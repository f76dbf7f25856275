import CBench
import CShims
import NIOCore
import SDP
import SIPStack

/// What a call costs before it has sound. The other side is libosip2, which parses and writes the same texts and does nothing else.
struct SignallingRows {
    private static let calls = 200
    private static let flow = SIPFlow(transport: .udp, remote: SIPAddress(host: "192.0.2.15", port: 5060), listener: 0)
    private static let offer = """
        v=0\r\no=- 20518 0 IN IP4 192.0.2.15\r\ns=-\r\nc=IN IP4 192.0.2.15\r\nt=0 0\r\n\
        m=audio 40000 RTP/AVP 0 8 9 18 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:9 G722/8000\r\n\
        a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n
        """

    static func rows() -> [Comparison] {
        // Idempotent, and silences the library's log.
        tandem_osip_initialise()
        return [descriptions(), invites()]
    }

    private static func invite(_ number: Int) -> [UInt8] {
        let head = [
            "INVITE sip:+14155550123@203.0.113.10 SIP/2.0",
            "Via: SIP/2.0/UDP 192.0.2.15:5060;branch=z9hG4bK-bench-\(number);rport",
            "Max-Forwards: 70",
            "From: \"Alice\" <sip:+14155552671@192.0.2.15>;tag=from\(number)",
            "To: <sip:+14155550123@203.0.113.10>",
            "Call-ID: bench-\(number)@192.0.2.15",
            "CSeq: 1 INVITE",
            "Contact: <sip:+14155552671@192.0.2.15:5060>",
            "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, INFO, UPDATE",
            "Supported: replaces, timer",
            "User-Agent: Bench",
            "P-Asserted-Identity: <sip:+14155552671@192.0.2.15>",
            "Content-Type: application/sdp",
            "Content-Length: \(offer.utf8.count)",
        ]
        return Array((head.joined(separator: "\r\n") + "\r\n\r\n" + offer).utf8)
    }

    private static func makeMedia() -> TrunkMediaSession {
        TrunkMediaSession(localAddress: "203.0.113.10", localPort: 20_000, sessionID: 1)
    }

    private static func descriptions() -> Comparison {
        let offer = offer
        return Comparison(
            group: "signalling, against libosip2 parsing and writing", name: "answer an SDP offer", items: calls, agreement: .yardstick,
            bare: {
                var written = 0
                return Round(result: { Double(written) }) {
                    guard bench_osip_descriptions(offer, Int32(calls), &written) == calls else { throw BenchFailure("libosip2 failed") }
                }
            },
            ours: {
                var written = 0
                return Round(result: { Double(written) }) {
                    for _ in 0..<calls {
                        var media = makeMedia()
                        written += try media.answer(offer: offer).sdp.utf8.count
                    }
                }
            })
    }

    /// Every INVITE is a new call: reader, screening, transaction, dialog, 100, offer parsed and answered, 200.
    private static func invites() -> Comparison {
        let invites = (0..<calls).map(invite)
        let messages = PacketSlab(copying: invites)
        return Comparison(
            group: "signalling, against libosip2 parsing and writing", name: "INVITE to 200", items: calls, agreement: .yardstick,
            bare: {
                var written = 0
                return Round(result: { Double(written) }) {
                    var view = messages.view
                    guard bench_osip_invites(&view, &written) == calls else { throw BenchFailure("libosip2 failed") }
                }
            },
            ours: {
                let configuration = SIPEndpoint.Configuration(
                    listeners: [.init(transport: .udp, host: "203.0.113.10", port: 5060)], serverName: "Tandem")
                var endpoint = SIPEndpoint(configuration: configuration, random: SystemRandomNumberGenerator())
                var accepted = 0
                return Round(result: { Double(accepted) }) {
                    for invite in invites { accepted += try take(invite, &endpoint) }
                    guard accepted == calls else { throw BenchFailure("\(accepted) of \(calls) calls were accepted") }
                }
            })
    }

    /// - Returns: how many 200s were sent for it.
    private static func take(_ invite: [UInt8], _ endpoint: inout SIPEndpoint) throws -> Int {
        let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var outputs: [SIPOutput] = []
        endpoint.receive(invite, from: flow, known: true, now: now, into: &outputs)
        guard case .incoming(let call)? = outputs.last, let offer = call.offer else { throw BenchFailure("the INVITE brought no call") }
        var media = makeMedia()
        let answer = try media.answer(offer: offer)
        outputs.removeAll(keepingCapacity: true)
        endpoint.accept(call.id, sdp: answer.sdp, now: now, into: &outputs)
        return outputs.count { output in
            if case .send(let bytes, _) = output { bytes.starts(with: Array("SIP/2.0 200".utf8)) } else { false }
        }
    }
}
