/// Reads the lexical elements of RFC 3261 25.1 from bytes, forward only, never past the end.
struct ByteScanner {
    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position >= bytes.count }
    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }
    var rest: ArraySlice<UInt8> { bytes[position...] }

    mutating func advance() { position = min(position + 1, bytes.count) }

    /// Skips spaces and tabs (fields are unfolded already).
    mutating func skipWhitespace() {
        while position < bytes.count, bytes[position] == 32 || bytes[position] == 9 { position += 1 }
    }

    /// Takes `byte` if it comes next.
    mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    mutating func take(while condition: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = position
        while position < bytes.count, condition(bytes[position]) { position += 1 }
        return bytes[start..<position]
    }

    /// A token, nil if there is none here.
    mutating func token() -> String? {
        let slice = take(while: Self.isToken)
        return slice.isEmpty ? nil : String(decoding: slice, as: UTF8.self)
    }

    /// A quoted string with its quotes, nil when it is not one or is not closed.
    mutating func quotedString() -> ArraySlice<UInt8>? {
        let start = position
        guard take(UInt8(ascii: "\"")) else { return nil }
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\\"):
                position += 2
            case UInt8(ascii: "\""):
                position += 1
                return bytes[start..<position]
            default:
                position += 1
            }
        }
        position = min(start, bytes.count)
        return nil
    }

    /// `token` of RFC 3261 25.1.
    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: return true
        default: return "-.!%*_+`'~".utf8.contains(byte)
        }
    }
}

extension Collection<UInt8> {
    /// Without spaces and tabs at both ends.
    var trimmingWhitespace: SubSequence {
        var slice = self[...]
        while let first = slice.first, first == 32 || first == 9 { slice = slice.dropFirst() }
        var end = slice.endIndex
        while end > slice.startIndex {
            let before = slice.index(end, offsetBy: -1)
            guard slice[before] == 32 || slice[before] == 9 else { break }
            end = before
        }
        return slice[..<end]
    }
}

/// Plain decimal numbers as header fields carry them.
enum DecimalNumber {
    /// Nil for anything but digits (leading zeros are fine) and for values beyond `maximum`.
    static func read(_ bytes: some Collection<UInt8>, maximum: Int) -> Int? {
        var number = 0
        let digits = Array(bytes).trimmingWhitespace
        guard !digits.isEmpty else { return nil }
        for byte in digits {
            guard (48...57).contains(byte) else { return nil }
            number = number * 10 + Int(byte - 48)
            if number > maximum { return nil }
        }
        return number
    }
}
