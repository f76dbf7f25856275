import Foundation

/// The SIP side of the phones: answers every INVITE at once, and knows the call by the last four digits of the number.
final class Carrier {
    private let socket: LoadSocket
    private let phones: [DirectTransport]
    /// Calls by their Call-ID, so that a repeated INVITE gets the same answer.
    private var numbers: [String: Int] = [:]
    private(set) var hungUp = 0

    init(phones: [DirectTransport], socket: LoadSocket) {
        self.phones = phones
        self.socket = socket
    }

    func poll() throws {
        for (text, port) in socket.receiveTexts() where !text.hasPrefix("SIP/2.0") { try answer(text, from: port) }
    }

    private func answer(_ request: String, from port: UInt16) throws {
        let parts = request.components(separatedBy: "\r\n\r\n")
        let lines = parts[0].components(separatedBy: "\r\n")
        let method = lines[0].split(separator: " ").first.map(String.init) ?? ""
        func all(_ name: String) -> [String] { lines.filter { $0.lowercased().hasPrefix(name.lowercased() + ":") } }
        var body = ""
        if method == "INVITE" {
            let number = try numbers[all("Call-ID").joined()] ?? call(of: lines[0])
            numbers[all("Call-ID").joined()] = number
            phones[number].remotePort = try RemoteDescription(parts.dropFirst().joined(separator: "\r\n\r\n")).port
            body = Self.description(port: phones[number].socket.port)
        }
        if method == "BYE" { hungUp += 1 }
        guard method != "ACK" else { return }
        let to = all("To").map { $0.contains("tag=") ? $0 : $0 + ";tag=carrier" }
        let contact = ["Contact: <sip:carrier@127.0.0.1:\(socket.port)>"] + (body.isEmpty ? [] : ["Content-Type: application/sdp"])
        let answer = ["SIP/2.0 200 OK"] + all("Via") + all("From") + to + all("Call-ID") + all("CSeq") + contact + ["Content-Length: \(body.utf8.count)"]
        socket.send(answer.joined(separator: "\r\n") + "\r\n\r\n" + body, to: port)
    }

    private func call(of requestLine: String) throws -> Int {
        let user = requestLine.split(separator: "@").first ?? ""
        guard let number = Int(user.suffix(4)), phones.indices.contains(number) else { throw BenchFailure("the carrier got a call it does not know: \(requestLine)") }
        return number
    }

    /// Of a phone with PCMU and telephone events.
    static func description(port: UInt16) -> String {
        """
        v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio \(port) RTP/AVP 0 101\r\n\
        a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n
        """
    }
}
