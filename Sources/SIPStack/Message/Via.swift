/// The topmost Via (RFC 3261 20.42): who sent a request, and how its answers get back.
struct Via: Sendable, Equatable {
    let transport: String
    let host: String
    let port: Int?
    var parameters: [HeaderParameter]
    /// Further Vias in the same field, as they came, with their leading comma.
    let rest: [UInt8]
    /// Parameters could not be read: the answer is 400 and gives the field back unchanged.
    let problem: MalformedMessage?
    private let protocolText: String

    /// Nil when not even the sender's host can be read, so that nothing can be answered.
    init?(reading value: [UInt8]) {
        var scanner = ByteScanner(value)
        scanner.skipWhitespace()
        guard let name = scanner.token(), Self.slash(&scanner), let version = scanner.token(), Self.slash(&scanner),
            let transport = scanner.token()
        else { return nil }
        self.transport = transport.uppercased()
        protocolText = "\(name)/\(version)/\(transport)"
        let before = scanner.position
        scanner.skipWhitespace()
        guard scanner.position > before, let host = Self.host(&scanner) else { return nil }
        self.host = host
        var problem: MalformedMessage?
        scanner.skipWhitespace()
        var port: Int?
        if scanner.take(UInt8(ascii: ":")) {
            scanner.skipWhitespace()
            port = DecimalNumber.read(scanner.take { (48...57).contains($0) }, maximum: 65_535)
            if port == nil || port == 0 {
                port = nil
                problem = MalformedMessage("Bad Port In Via")
            }
        }
        self.port = port
        do throws(MalformedMessage) {
            parameters = try HeaderParameter.read(&scanner, in: "Via")
        } catch {
            parameters = []
            problem = problem ?? error
        }
        if !scanner.isAtEnd, scanner.peek != UInt8(ascii: ",") { problem = problem ?? MalformedMessage("Malformed Via") }
        rest = Array(scanner.rest)
        self.problem = problem
    }

    var branch: String? { parameters[name: "branch"]?.value }
    /// `host:port` as transaction matching compares it (RFC 3261 17.2.3).
    var sentBy: String { "\(host.lowercased()):\(port.map(String.init) ?? "")" }
    /// The branch says RFC 3261 and names a transaction; the bare cookie does not (RFC 4475 3.2.1).
    var hasMagicCookie: Bool {
        guard let branch else { return false }
        return branch.utf8.count > 7 && branch.lowercased().hasPrefix("z9hg4bk")
    }

    /// The field with `received` and `rport` filled in (RFC 3261 18.2.1, RFC 3581 4).
    func received(from source: SIPAddress) -> [UInt8] {
        var parameters = parameters.filter { $0.name.lowercased() != "received" }
        let rport = parameters.index("rport")
        if let rport { parameters[rport].value = String(source.port) }
        if rport != nil || host != source.host {
            parameters.append(HeaderParameter(name: "received", value: source.host))
        }
        let address = host.contains(":") ? "[\(host)]" : host
        let sent = port.map { "\(address):\($0)" } ?? address
        return Array("\(protocolText) \(sent)\(parameters.map(\.text).joined())".utf8) + rest
    }

    private static func slash(_ scanner: inout ByteScanner) -> Bool {
        scanner.skipWhitespace()
        guard scanner.take(UInt8(ascii: "/")) else { return false }
        scanner.skipWhitespace()
        return true
    }

    private static func host(_ scanner: inout ByteScanner) -> String? {
        if scanner.take(UInt8(ascii: "[")) {
            let address = scanner.take { $0 != UInt8(ascii: "]") && $0 > 32 }
            guard !address.isEmpty, scanner.take(UInt8(ascii: "]")) else { return nil }
            return String(decoding: address, as: UTF8.self)
        }
        let name = scanner.take { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "-._".utf8.contains(byte)
        }
        return name.isEmpty ? nil : String(decoding: name, as: UTF8.self)
    }
}
