/// A number, or the name of a user or agent, in both forms that records keep.
public struct NormalisedNumber: Sendable, Hashable {
    /// As it came.
    public let given: String
    /// As the dial plan compares it: E.164 with `+` where the number is one, else a short code without
    /// separators, or the name as given.
    public let e164: String

    public init(given: String, e164: String) {
        self.given = given
        self.e164 = e164
    }

    /// Normalises a number with the country of the trunk it came by (CONTRACT 4).
    /// - Parameter country: the country code's digits, such as `1` or `44`; empty when there is none.
    public init(_ given: String, country: String) {
        self.init(given: given, e164: E164.normalise(given, country: country))
    }
}

/// Writes numbers in their international form. ASCII digits only: other scripts' digits are names.
public enum E164 {
    /// Separators `-. ()` go; `+` stays; `00`, and for country 1 also `011`, becomes `+`; country 1: ten digits get `+1`,
    /// eleven that begin with 1 get `+`; others: one leading 0 becomes `+` and the country. Everything else is unchanged.
    public static func normalise(_ given: String, country: String) -> String {
        guard let digits = digits(of: given) else { return given }
        if digits.first == plus { return string(digits) }
        // No country code and no national number begins with 0, so 000 (an emergency call in Australia) stays as it is.
        if digits.starts(with: "00".utf8), isSignificant(digits.dropFirst(2)) { return international(digits.dropFirst(2)) }
        if country == "1" {
            if digits.starts(with: "011".utf8), isSignificant(digits.dropFirst(3)) { return international(digits.dropFirst(3)) }
            if digits.count == 10 { return "+1" + string(digits) }
            if digits.count == 11, digits.first == UInt8(ascii: "1") { return international(digits) }
            return string(digits)
        }
        if !country.isEmpty, digits.first == UInt8(ascii: "0"), isSignificant(digits.dropFirst()) {
            return "+" + country + string(digits.dropFirst())
        }
        return string(digits)
    }

    /// The user part of a SIP URI with its %-escapes decoded (RFC 3261 19.1.2). What is not valid UTF-8
    /// or a whole escape stays as it came, for a name is still comparable so.
    public static func percentDecoded(_ user: String) -> String {
        guard user.utf8.contains(UInt8(ascii: "%")) else { return user }
        var bytes: [UInt8] = []
        var rest = Array(user.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let high = hexadecimal(rest[rest.startIndex]), let low = hexadecimal(rest[rest.startIndex + 1])
            {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self) ?? user
    }

    private static let plus = UInt8(ascii: "+")

    /// The digits, with a leading plus if there is one; nil if the text is no number.
    private static func digits(of text: String) -> ArraySlice<UInt8>? {
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39: result.append(byte)
            case plus where result.isEmpty: result.append(byte)
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: " "), UInt8(ascii: "("), UInt8(ascii: ")"): continue
            default: return nil
            }
        }
        return result.contains { $0 != plus } ? result[...] : nil
    }

    private static func isSignificant(_ digits: ArraySlice<UInt8>) -> Bool {
        digits.first.map { $0 != UInt8(ascii: "0") } ?? false
    }

    private static func international(_ digits: ArraySlice<UInt8>) -> String {
        "+" + string(digits)
    }

    private static func string(_ digits: ArraySlice<UInt8>) -> String {
        String(decoding: digits, as: UTF8.self)
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
