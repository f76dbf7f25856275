/// A Reason field (RFC 3326): why a call was ended.
public struct SIPReason: Hashable, Sendable {
    /// `SIP` (cause is a status code) or `Q.850` (an ISDN cause).
    public var protocolName: String
    public var cause: Int?
    public var text: String?

    public init(protocolName: String = "SIP", cause: Int?, text: String? = nil) {
        self.protocolName = protocolName
        self.cause = cause
        self.text = text
    }

    /// Reads the first value of a field; nil where there is none.
    init?(reading value: [UInt8]) {
        var scanner = ByteScanner(value)
        scanner.skipWhitespace()
        guard let name = scanner.token(), let parameters = try? HeaderParameter.read(&scanner, in: "Reason") else { return nil }
        protocolName = name
        cause = parameters[name: "cause"]?.value.flatMap { DecimalNumber.read(Array($0.utf8), maximum: 999) }
        text = parameters[name: "text"]?.value.map { value in
            guard value.hasPrefix("\""), value.hasSuffix("\""), value.utf8.count >= 2 else { return value }
            return value.dropFirst().dropLast().filter { $0 != "\\" }
        }
    }

    /// The field's value. Quotes and line ends in the text are dropped, they could end the field.
    /// The value of a Reason header field.
    public var value: String {
        var field = protocolName
        if let cause { field += ";cause=\(cause)" }
        if let text {
            let safe = text.unicodeScalars.filter { $0.value >= 32 && $0 != "\"" && $0 != "\\" && $0.value != 127 }
            field += ";text=\"\(String(String.UnicodeScalarView(safe)))\""
        }
        return field
    }
}
