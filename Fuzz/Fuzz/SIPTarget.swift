import NIOCore
import SIPStack
import TestKit

/// Datagrams and streams of a carrier, and of anybody else, while whoever uses the stack takes every call (RFC 3261).
enum SIPTarget: FuzzTarget {
    private static let offer = "v=0\r\no=- 1 1 IN IP4 192.0.2.15\r\ns=-\r\nc=IN IP4 192.0.2.15\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
    private static let phone = SIPAddress(host: "192.0.2.15", port: 5060)

    static var seeds: [[UInt8]] {
        func request(_ method: String, _ number: Int, to tag: String = "", body: String = "", extra: String = "") -> [UInt8] {
            Array(
                """
                \(method) sip:100@203.0.113.10 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.15:5060;branch=z9hG4bK\(method)\(number);rport\r\nMax-Forwards: 70\r\n\
                From: "A" <sip:a@192.0.2.15>;tag=1\r\nTo: <sip:100@203.0.113.10>\(tag)\r\nCall-ID: c1\r\nCSeq: \(number) \(method)\r\n\
                Contact: <sip:a@192.0.2.15>\r\n\(extra)Content-Type: application/sdp\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)
                """.utf8)
        }
        let invite = request("INVITE", 1, body: offer)
        let others = ["CANCEL", "BYE", "OPTIONS", "INFO", "MESSAGE", "REFER", "NOTIFY", "UPDATE", "PRACK", "SUBSCRIBE"].map { request($0, 1) }
        let answer = Array(String(decoding: invite, as: UTF8.self).replacing(/INVITE .*SIP\/2\.0\r\nVia/) { _ in "SIP/2.0 200 OK\r\nVia" }.utf8)
        return others.map { [0] + FuzzInput.piece(invite) + [0] + FuzzInput.piece($0) } + [
            [1] + FuzzInput.piece(invite + others[2]), [0] + FuzzInput.piece(answer), [2, 40, 3, 0] + FuzzInput.piece(invite) + [2, 255, 4],
            [0] + FuzzInput.piece(request("INVITE", 2, body: offer, extra: "Require: 100rel\r\nSession-Expires: 90;refresher=uac\r\nRecord-Route: <sip:p.example;lr>\r\n")),
        ]
    }

    static func run(_ input: FuzzInput) {
        var input = input
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        let configuration = SIPEndpoint.Configuration(
            listeners: [.init(transport: .udp, host: "203.0.113.10", port: 5060), .init(transport: .tcp, host: "203.0.113.10", port: 5060)],
            serverName: "Tandem")
        var endpoint = SIPEndpoint(configuration: configuration, random: SeededGenerator(seed: 1))
        var out: [SIPOutput] = []
        while !input.isEmpty {
            let choice = input.byte()
            switch choice % 4 {
            case 0:
                endpoint.receive(input.piece(), from: SIPFlow(transport: .udp, remote: phone, listener: 0), known: choice & 0x80 == 0, now: now, into: &out)
            case 1:
                var framer = SIPStreamFramer()
                var framed: [SIPStreamFramer.Output] = []
                framer.receive(input.piece(), into: &framed)
                let flow = SIPFlow(transport: .tcp, remote: phone, connection: 7, listener: 1)
                for case .message(let message) in framed { endpoint.receive(message, from: flow, known: true, now: now, into: &out) }
            case 2:
                now = now + .milliseconds(Int64(input.byte()) * 100)
                endpoint.expire(now: now, into: &out)
            default: endpoint.connectionClosed(7, now: now, into: &out)
            }
            react(to: &out, of: &endpoint, now: now)
        }
    }

    private static func react(to out: inout [SIPOutput], of endpoint: inout SIPEndpoint, now: NIODeadline) {
        let events = out
        out.removeAll(keepingCapacity: true)
        for event in events {
            switch event {
            case .incoming(let call):
                endpoint.ring(call.id, now: now, into: &out)
                endpoint.accept(call.id, sdp: offer, now: now, into: &out)
            case .reoffer(let call, _): endpoint.answerReoffer(call, sdp: offer, now: now, into: &out)
            case .message(let message): endpoint.answerMessage(message, status: 200, now: now, into: &out)
            default: break
            }
        }
        out.removeAll(keepingCapacity: true)
    }
}
