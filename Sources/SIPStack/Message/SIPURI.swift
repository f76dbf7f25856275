import COsipParser
import CShims

/// A SIP, SIPS or TEL URI (RFC 3261 19.1, RFC 3966).
///
/// Scheme and user part are cut out by us (libosip2 unescapes the user part in place, which loses the raw form and everything
/// after an escaped NUL, and refuses schemes with a dot); host, port and parameters are libosip2's reading, copied and freed at once.
struct SIPURI: Sendable, Equatable {
    let scheme: String
    /// As written, password cut off; for a TEL URI the number with its parameters.
    let rawUser: String
    let host: String
    let port: Int?
    private(set) var parameters: [String: String] = [:]

    /// The schemes a request may be addressed to.
    static let knownSchemes: Set<String> = ["sip", "sips", "tel"]

    /// `scheme:` of any URI, lower case, nil where there is none.
    static func scheme(of uri: String) -> String? {
        let bytes = Array(uri.utf8)
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), let first = bytes.first, isAlpha(first) else { return nil }
        let scheme = bytes[..<colon]
        guard scheme.allSatisfy({ isAlpha($0) || (48...57).contains($0) || "+-.".utf8.contains($0) }) else { return nil }
        return String(decoding: scheme, as: UTF8.self).lowercased()
    }

    /// Nil for other schemes and for what has no host.
    init?(_ text: String) {
        guard let scheme = Self.scheme(of: text), Self.knownSchemes.contains(scheme) else { return nil }
        self.scheme = scheme
        let rest = text.dropFirst(scheme.count + 1)
        if scheme == "tel" {
            guard !rest.isEmpty else { return nil }
            (rawUser, host, port) = (String(rest), "", nil)
            return
        }
        let user = rest.lastIndex(of: "@").map { rest[..<$0] } ?? ""
        rawUser = String(user.prefix { $0 != ":" })
        guard let read = Self.structure(text) else { return nil }
        (host, port, parameters) = read
    }

    /// The user part percent-decoded. A telephone number loses its parameters (`;npdi`, `;phone-context=…`); other users keep theirs (RFC 4475 3.1.1.9).
    var user: String {
        var raw = Substring(rawUser)
        if let first = raw.first, first == "+" || first.isASCII && first.isNumber || scheme == "tel", let end = raw.firstIndex(of: ";") {
            raw = raw[..<end]
        }
        return Self.percentDecoded(raw)
    }

    static func percentDecoded(_ text: Substring) -> String {
        var decoded: [UInt8] = []
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count, let high = hexadecimal(bytes[index + 1]),
                let low = hexadecimal(bytes[index + 2]) {
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    private static func structure(_ text: String) -> (host: String, port: Int?, parameters: [String: String])? {
        // C strings end at a NUL; the header reader lets none through, and a URI can hold none.
        guard !text.utf8.contains(0) else { return nil }
        tandem_osip_initialise()
        var parsed: UnsafeMutablePointer<osip_uri_t>?
        guard osip_uri_init(&parsed) == 0, let uri = parsed else { return nil }
        defer { osip_uri_free(uri) }
        guard osip_uri_parse(uri, text) == 0, let host = uri.pointee.host.map({ String(cString: $0) }), !host.isEmpty else { return nil }
        var port: Int?
        if let digits = uri.pointee.port.map({ String(cString: $0) }), !digits.isEmpty {
            guard let number = DecimalNumber.read(Array(digits.utf8), maximum: 65_535), number > 0 else { return nil }
            port = number
        }
        var parameters: [String: String] = [:]
        for index in 0..<max(0, osip_list_size(&uri.pointee.url_params)) {
            guard let element = osip_list_get(&uri.pointee.url_params, index) else { continue }
            let parameter = element.assumingMemoryBound(to: osip_uri_param_t.self).pointee
            guard let name = parameter.gname.map({ String(cString: $0) }) else { continue }
            parameters[name.lowercased()] = parameter.gvalue.map { String(cString: $0) } ?? ""
        }
        return (host, port, parameters)
    }

    private static func isAlpha(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }
}
