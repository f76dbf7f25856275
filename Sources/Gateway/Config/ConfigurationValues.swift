import Dialplan

/// The kinds of values only `tandem.yaml` has.
extension MappingReader {
    /// Text, or `{ file: path }` for the content of a file without its trailing line break. Messages never show it.
    func secret(_ key: String, besides file: String) -> String? {
        guard var node = take(key) else { return nil }
        node.isSecret = true
        guard case .mapping = node.content else { return text(of: node, key) }
        let reader = MappingReader(node, key, problems)
        let pathNode = reader.take("file")
        reader.finish()
        guard let pathNode else {
            problems.error("\(key) must be text or { file: path }", at: node)
            return nil
        }
        guard let path = reader.text(of: pathNode, "file") else { return nil }
        do {
            let bytes = try ConfigurationFile.read(
                ConfigurationFile.resolve(path, besides: file), limit: ConfigurationFile.secretLimit)
            guard bytes.count <= ConfigurationFile.secretLimit, var text = String(validating: bytes, as: UTF8.self) else {
                problems.error("the file of \(key) is no text of at most \(ConfigurationFile.secretLimit / 1024) KiB", at: pathNode)
                return nil
            }
            if text.utf8.last == UInt8(ascii: "\n") { text = String(text.unicodeScalars.dropLast()) }
            if text.utf8.last == UInt8(ascii: "\r") { text = String(text.unicodeScalars.dropLast()) }
            guard !text.isEmpty else {
                problems.error("the file of \(key) is empty", at: pathNode)
                return nil
            }
            return text
        } catch {
            problems.error("the file of \(key) cannot be read: \(error.reason)", at: pathNode)
            return nil
        }
    }

    /// `192.0.2.1:8080`, `[::1]:8080` or `localhost:8080`.
    func listen(_ key: String) -> (value: Configuration.Listen, node: YAMLNode)? {
        guard let node = take(key), let text = text(of: node, key) else { return nil }
        guard let value = Configuration.Listen(text) else {
            problems.error("\(key) must be an IP address and a port such as 127.0.0.1:8080, not \(node.quoted)", at: node)
            return nil
        }
        return (value, node)
    }

    /// A numeric address of this machine as others see it.
    func advertisedAddress(_ node: YAMLNode, _ key: String) -> String? {
        guard let text = text(of: node, key) else { return nil }
        guard let address = IPAddress(text), !address.isUnspecified, !text.contains("%") else {
            problems.error("\(key) must be an IP address that others can reach, not \(node.quoted)", at: node)
            return nil
        }
        return text
    }

    /// `{ certificate: path, key: path }`
    func tls(besides file: String) -> (value: Configuration.TLS?, node: YAMLNode)? {
        guard let node = take("tls") else { return nil }
        let reader = MappingReader(node, "tls", problems)
        let certificate = reader.text("certificate"), key = reader.text("key")
        reader.finish()
        guard let certificate, let key else {
            if case .mapping = node.content { problems.error("tls needs certificate and key", at: node) }
            return (nil, node)
        }
        return (
            Configuration.TLS(
                certificate: ConfigurationFile.resolve(certificate, besides: file), key: ConfigurationFile.resolve(key, besides: file)),
            node
        )
    }

    /// A URL with one of the schemes, a host, and no user, password or fragment.
    func url(of node: YAMLNode, _ key: String, schemes: [String]) -> String? {
        guard let text = text(of: node, key) else { return nil }
        guard let scheme = schemes.first(where: { text.lowercased().hasPrefix("\($0)://") }) else {
            problems.error("\(key) must begin with \(MappingReader.either(schemes.map { "\($0)://" })), not \(node.quoted)", at: node)
            return nil
        }
        let rest = text.dropFirst(scheme.count + 3)
        let authority = rest.prefix { !"/?".contains($0) }
        guard !authority.contains("@") else {
            problems.error("\(key) must not hold a user or password; use token", at: node)
            return nil
        }
        let isVisible = text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }
        guard isVisible, HostPort(authority, portRequired: false) != nil else {
            problems.error("\(key) must be a URL with a host, not \(node.quoted)", at: node)
            return nil
        }
        return text
    }
}

/// `host`, `host:port` or `[address]:port`.
struct HostPort {
    /// A name or numeric address, IPv6 without brackets.
    let host: String
    let port: Int?
    let isNumeric: Bool

    /// Port 0 is read, whether it makes sense the caller knows.
    init?(_ text: some StringProtocol, portRequired: Bool) {
        var rest = text[...]
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = String(text[text.index(after: text.startIndex)..<end])
            rest = text[text.index(after: end)...]
            guard let address = IPAddress(host), !address.isIPv4 || host.contains(":"), !host.contains("%") else { return nil }
            isNumeric = true
        } else {
            let name = text.prefix { $0 != ":" }
            host = String(name)
            rest = text[name.endIndex...]
            isNumeric = IPAddress(host) != nil
            guard isNumeric || HostPort.isName(host) else { return nil }
        }
        if rest.isEmpty, !portRequired {
            port = nil
        } else {
            guard rest.hasPrefix(":"), let value = Decimal.integer(rest.dropFirst()), value <= 65535 else { return nil }
            port = value
        }
    }

    /// Labels of letters, digits and hyphens (RFC 1123 2.1), underscores tolerated; the last is not all digits, or it were a broken address.
    private static func isName(_ text: String) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= 253, let last = labels.last, last.utf8.contains(where: { !(0x30...0x39).contains($0) }) else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.utf8.first != UInt8(ascii: "-") && label.utf8.last != UInt8(ascii: "-")
                && label.utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || "-_".utf8.contains(byte)
                }
        }
    }
}

extension Configuration.Listen {
    /// Nil unless it is a numeric address, or `localhost`, and a port.
    init?(_ text: some StringProtocol) {
        guard let value = HostPort(text, portRequired: true), let port = value.port else { return nil }
        if value.host.lowercased() == "localhost" {
            self.init(host: "127.0.0.1", port: port)
        } else {
            guard value.isNumeric else { return nil }
            self.init(host: value.host, port: port)
        }
    }
}

extension Configuration.SIP.Listener {
    /// `udp:127.0.0.1:5060`
    init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":"), let transport = Configuration.SIP.Transport(rawValue: text[..<colon].lowercased()),
            let address = Configuration.Listen(text[text.index(after: colon)...])
        else { return nil }
        self.init(transport: transport, address: address)
    }
}

extension TrunkHost {
    /// `sip:host`, `sips:host`, with an optional port and `;transport=udp`; no user part.
    init?(_ text: String) {
        let lowercased = text.lowercased()
        guard lowercased.hasPrefix("sip:") || lowercased.hasPrefix("sips:"), let colon = text.firstIndex(of: ":") else { return nil }
        let parts = text[text.index(after: colon)...].split(separator: ";", omittingEmptySubsequences: false)
        guard let first = parts.first, let target = HostPort(first, portRequired: false), target.port != 0 else { return nil }
        var transport: Configuration.SIP.Transport?
        for parameter in parts.dropFirst() {
            let pair = parameter.lowercased().split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, pair[0] == "transport", transport == nil,
                let value = Configuration.SIP.Transport(rawValue: String(pair[1]))
            else { return nil }
            transport = value
        }
        uri = text
        isSecure = lowercased.hasPrefix("sips:")
        host = target.host
        port = target.port
        self.transport = transport
    }
}
