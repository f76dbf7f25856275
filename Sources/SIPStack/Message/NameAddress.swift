/// From, To, Contact, Record-Route and P-Asserted-Identity: a display name, a URI and parameters (RFC 3261 20.10, 25.1).
struct NameAddress: Sendable, Equatable {
    /// Without its quotes and quoted pairs; empty if there is none.
    let displayName: String
    /// The URI between the angle brackets, or the bare one.
    let uri: String
    let parameters: [HeaderParameter]

    var tag: String? { parameters[name: "tag"]?.value.flatMap { $0.isEmpty ? nil : $0 } }

    /// Reads one address; anything after it but a comma is an error, and a comma too unless `isList`.
    init(reading value: [UInt8], field: String) throws(MalformedMessage) {
        var scanner = ByteScanner(value)
        try self.init(&scanner, field: field)
        guard scanner.isAtEnd else { throw MalformedMessage("Malformed \(field)") }
    }

    /// Every address of a comma-separated field.
    static func list(_ value: [UInt8], field: String) throws(MalformedMessage) -> [NameAddress] {
        var scanner = ByteScanner(value)
        var addresses: [NameAddress] = []
        repeat {
            addresses.append(try NameAddress(&scanner, field: field))
        } while scanner.take(UInt8(ascii: ","))
        guard scanner.isAtEnd else { throw MalformedMessage("Malformed \(field)") }
        return addresses
    }

    private init(_ scanner: inout ByteScanner, field: String) throws(MalformedMessage) {
        scanner.skipWhitespace()
        var name: [UInt8] = []
        if scanner.peek == UInt8(ascii: "\"") {
            guard let quoted = scanner.quotedString() else { throw MalformedMessage("Unbalanced Quotes In \(field)") }
            name = Self.unquote(quoted)
            scanner.skipWhitespace()
            guard scanner.peek == UInt8(ascii: "<") else { throw MalformedMessage("Malformed \(field)") }
        } else {
            var ahead = scanner
            let text = ahead.take { !"<,;\"".utf8.contains($0) }
            if ahead.peek == UInt8(ascii: "<") {
                // Dots and accents without quotes are common and harmless; a comma would be ambiguous (RFC 4475 3.1.2.15).
                name = Array(text.trimmingWhitespace)
                scanner = ahead
            }
        }
        displayName = String(decoding: name, as: UTF8.self)
        let uri: ArraySlice<UInt8>
        if scanner.take(UInt8(ascii: "<")) {
            uri = scanner.take { $0 != UInt8(ascii: ">") }
            guard scanner.take(UInt8(ascii: ">")) else { throw MalformedMessage("Unclosed Angle Bracket In \(field)") }
        } else {
            // Without brackets a semicolon starts header parameters, and ? and , must not occur (RFC 3261 20.10).
            uri = scanner.take { $0 > 32 && $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: ",") }
            if uri.contains(UInt8(ascii: "?")) { throw MalformedMessage("Unbracketed Header Part In \(field)") }
        }
        guard !uri.isEmpty, !uri.contains(where: { $0 <= 32 || $0 == 127 || $0 == UInt8(ascii: "<") || $0 == UInt8(ascii: "\"") }) else {
            throw MalformedMessage("Malformed URI In \(field)")
        }
        self.uri = String(decoding: uri, as: UTF8.self)
        parameters = try HeaderParameter.read(&scanner, in: field)
        scanner.skipWhitespace()
    }

    private static func unquote(_ quoted: ArraySlice<UInt8>) -> [UInt8] {
        var name: [UInt8] = []
        var isEscaped = false
        for byte in quoted.dropFirst().dropLast() {
            if !isEscaped, byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                name.append(byte)
                isEscaped = false
            }
        }
        return name
    }
}
