import Foundation

/// The SIP side of phones that call: INVITE, ACK, BYE over UDP, without repeats, for nothing is lost on loopback.
final class CallingPhones {
    private let socket: LoadSocket
    private let gatewayPort: UInt16
    /// The To header of each call that was answered, with the gateway's tag.
    private var answered: [Int: String] = [:]

    init(gatewayPort: UInt16) throws {
        self.gatewayPort = gatewayPort
        socket = try LoadSocket()
    }

    /// Calls `user`.
    /// - Returns: where the gateway wants the sound of the phone that listens at `port`.
    func call(_ user: String, number: Int, from port: UInt16, meanwhile: () -> Void) throws -> UInt16 {
        send("INVITE", number, to: "<sip:\(user)@127.0.0.1>", body: Carrier.description(port: port), sequence: 1)
        for _ in 0..<5000 {
            for (text, _) in socket.receiveTexts() {
                let lines = text.components(separatedBy: "\r\n")
                guard lines.contains("Call-ID: \(Self.identifier(number))"), text.contains("CSeq: 1 INVITE") else { continue }
                if text.hasPrefix("SIP/2.0 1") { continue }
                guard text.hasPrefix("SIP/2.0 200"), let to = lines.first(where: { $0.hasPrefix("To:") }) else {
                    throw BenchFailure("the INVITE is answered \(lines[0])")
                }
                let target = String(to.dropFirst("To:".count)).trimmingCharacters(in: .whitespaces)
                answered[number] = target
                send("ACK", number, to: target, body: "", sequence: 1)
                let body = text.components(separatedBy: "\r\n\r\n").dropFirst().joined(separator: "\r\n\r\n")
                return try RemoteDescription(body).port
            }
            meanwhile()
            usleep(1000)
        }
        throw BenchFailure("the INVITE is not answered within five seconds")
    }

    func hangUp(_ number: Int) {
        guard let to = answered.removeValue(forKey: number) else { return }
        send("BYE", number, to: to, body: "", sequence: 2)
    }

    private static func identifier(_ number: Int) -> String { "load-\(number)" }

    private func send(_ method: String, _ number: Int, to: String, body: String, sequence: Int) {
        let content = body.isEmpty ? [] : ["Content-Type: application/sdp"]
        let head = [
            "\(method) sip:gateway@127.0.0.1:\(gatewayPort) SIP/2.0",
            "Via: SIP/2.0/UDP 127.0.0.1:\(socket.port);branch=z9hG4bK-\(method)-\(number)", "Max-Forwards: 70",
            "From: <sip:+14155550100@127.0.0.1>;tag=load\(number)", "To: \(to)", "Call-ID: \(Self.identifier(number))",
            "CSeq: \(sequence) \(method)", "Contact: <sip:load@127.0.0.1:\(socket.port)>",
        ]
        let text = (head + content + ["Content-Length: \(body.utf8.count)"]).joined(separator: "\r\n") + "\r\n\r\n" + body
        let request = method == "INVITE" ? text.replacingOccurrences(of: "sip:gateway@127.0.0.1:\(gatewayPort) SIP", with: "\(to.dropFirst().dropLast()) SIP") : text
        socket.send(request, to: gatewayPort)
    }
}
