/// What a number, name or header value is compared with (CONTRACT 4).
///
/// Only characters of `+0-9XZN[]-.!` make a pattern; anything else is a name, compared byte by byte as it stands.
/// `X` is 0-9, `Z` 1-9, `N` 2-9, `[2-57]` the digits listed; a final `.` is one or more digits, a final `!` none or more.
/// A `-` outside brackets only separates for the eye, for numbers are compared without separators.
/// A regular expression may stand where a pattern does not do.
/// Matching looks at each character once: a pattern has no alternatives to come back to.
public struct Pattern: Sendable, Hashable, CustomStringConvertible {
    /// Why text that has the characters of a pattern is none.
    public struct Malformed: Error, Equatable {
        public let reason: String
    }

    enum Tail: Hashable {
        case none
        case oneOrMoreDigits
        case anyDigits
    }

    enum Form: Hashable {
        case name
        /// A leading plus, then a set of digits (bit 0 is the digit 0) for every position, then the tail.
        case number(plus: Bool, positions: [UInt16], tail: Tail)
        case regex(RegularExpression)
    }

    /// As it stands in the file, a regular expression after the word `regex`.
    public let text: String
    let form: Form

    public var description: String { text }

    /// Compared as it stands, without meaning in any character.
    public var isName: Bool { form == .name }

    public init(_ text: String) throws(Malformed) {
        self.text = text
        guard !text.isEmpty else { throw Malformed(reason: "is empty") }
        form = Pattern.isPatternText(text) ? try Pattern.parse(Array(text.utf8)) : .name
    }

    /// A regular expression, matched as a whole.
    public init(regex: String) throws(Malformed) {
        text = "regex \(regex)"
        do {
            form = .regex(try RegularExpression(regex))
        } catch {
            throw Malformed(reason: "\(error.reason) (at its character \(error.character))")
        }
    }

    /// Whether the text matches as a whole. Linear in its length, whatever it holds.
    public func matches(_ candidate: String) -> Bool {
        switch form {
        case .name:
            return candidate.utf8.elementsEqual(text.utf8)
        case .regex(let expression):
            return expression.matches(candidate)
        case .number(let plus, let positions, let tail):
            var rest = candidate.utf8[...]
            if plus {
                guard rest.first == UInt8(ascii: "+") else { return false }
                rest = rest.dropFirst()
            }
            for position in positions {
                guard let byte = rest.popFirst(), let digit = Pattern.digit(byte), position & (1 << digit) != 0 else { return false }
            }
            switch tail {
            case .none: return rest.isEmpty
            case .oneOrMoreDigits: return !rest.isEmpty && rest.allSatisfy { Pattern.digit($0) != nil }
            case .anyDigits: return rest.allSatisfy { Pattern.digit($0) != nil }
            }
        }
    }

    private static func isPatternText(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            digit(byte) != nil || "+XZN[]-.!".utf8.contains(byte)
        }
    }

    static func digit(_ byte: UInt8) -> UInt16? {
        (0x30...0x39).contains(byte) ? UInt16(byte - 0x30) : nil
    }

    private static func parse(_ bytes: [UInt8]) throws(Malformed) -> Form {
        var positions: [UInt16] = []
        var tail = Tail.none
        var plus = false
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            guard tail == .none else { throw Malformed(reason: "goes on after its final . or !") }
            switch byte {
            case UInt8(ascii: "+"):
                guard index == 0 else { throw Malformed(reason: "has a + that is not its first character") }
                plus = true
            case UInt8(ascii: "X"): positions.append(0b11_1111_1111)
            case UInt8(ascii: "Z"): positions.append(0b11_1111_1110)
            case UInt8(ascii: "N"): positions.append(0b11_1111_1100)
            case UInt8(ascii: "."): tail = .oneOrMoreDigits
            case UInt8(ascii: "!"): tail = .anyDigits
            case UInt8(ascii: "-"): break
            case UInt8(ascii: "["):
                guard let end = bytes[index...].firstIndex(of: UInt8(ascii: "]")) else { throw Malformed(reason: "has a [ without its ]") }
                positions.append(try digits(bytes[(index + 1)..<end]))
                index = end
            case UInt8(ascii: "]"):
                throw Malformed(reason: "has a ] without its [")
            default:
                positions.append(1 << (digit(byte) ?? 0))
            }
            index += 1
        }
        guard !positions.isEmpty || tail != .none else { throw Malformed(reason: "matches no number") }
        return .number(plus: plus, positions: positions, tail: tail)
    }

    /// The set between brackets: digits and ranges of digits.
    private static func digits(_ bytes: ArraySlice<UInt8>) throws(Malformed) -> UInt16 {
        var set: UInt16 = 0
        var rest = bytes
        while let byte = rest.popFirst() {
            guard let low = digit(byte) else { throw Malformed(reason: "has something else than digits and ranges between [ and ]") }
            var high = low
            if rest.first == UInt8(ascii: "-") {
                rest = rest.dropFirst()
                guard let next = rest.popFirst(), let end = digit(next) else { throw Malformed(reason: "has a range without an end") }
                high = end
            }
            guard low <= high else { throw Malformed(reason: "has the range \(low)-\(high), which is backwards") }
            for value in low...high { set |= 1 << value }
        }
        guard set != 0 else { throw Malformed(reason: "has nothing between [ and ]") }
        return set
    }
}
