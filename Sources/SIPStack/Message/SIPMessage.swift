/// CSeq: the number orders requests of a dialog, the method names the request a response answers (RFC 3261 20.16).
struct CommandSequence: Sendable, Hashable {
    let number: UInt32
    let method: String

    init(number: UInt32, method: String) {
        self.number = number
        self.method = method
    }

    init(reading value: [UInt8]) throws(MalformedMessage) {
        var scanner = ByteScanner(value)
        scanner.skipWhitespace()
        // RFC 3261 8.1.1.5: below 2**31.
        guard let number = DecimalNumber.read(scanner.take { (48...57).contains($0) }, maximum: 0x7FFF_FFFF) else {
            throw MalformedMessage("Bad CSeq Number")
        }
        scanner.skipWhitespace()
        guard let method = scanner.token() else { throw MalformedMessage("No Method In CSeq") }
        scanner.skipWhitespace()
        guard scanner.isAtEnd else { throw MalformedMessage("Malformed CSeq") }
        self.number = UInt32(number)
        self.method = method
    }
}

/// A request whose necessary fields were all read.
struct SIPRequest: Sendable {
    let method: String
    let uri: String
    let headers: [SIPHeader]
    let via: Via
    let from: NameAddress
    let to: NameAddress
    let callID: String
    let sequence: CommandSequence
    /// Nil where the sender left it out, as RFC 2543 phones do.
    let maxForwards: Int?
    let body: [UInt8]

    var topVia: [UInt8] { headers.first("via")?.value ?? [] }
}

/// A response that may belong to a client transaction of ours.
struct SIPResponse: Sendable {
    let status: Int
    let reason: String
    let headers: [SIPHeader]
    let via: Via
    let from: NameAddress
    let to: NameAddress
    let callID: String
    let sequence: CommandSequence
    let body: [UInt8]
}

/// A request that is wrong in a way its sender should hear about: enough of it was read to answer.
struct RefusedRequest: Sendable {
    let method: String
    let headers: [SIPHeader]
    let via: Via
    let problem: MalformedMessage
}

/// What the reader made of one datagram or framed message.
enum ReadMessage: Sendable {
    case request(SIPRequest)
    case response(SIPResponse)
    case refused(RefusedRequest)
    /// Only line ends or zeros, as phones send to keep a NAT binding open.
    case keepAlive
    /// Not SIP, or nothing that could be answered; the text says why.
    case unreadable(String)
}
