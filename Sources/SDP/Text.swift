// Reading is done on UTF-8 bytes: as characters, "\r\n" is one, and a space may melt into a combining mark after it.

extension Substring {
    /// The parts between runs of spaces or tabs.
    func fields() -> [Substring] {
        utf8.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }.map { Substring($0) }
    }

    /// The parts between one byte, empty ones left out.
    func parts(at separator: UInt8) -> [Substring] {
        utf8.split(separator: separator).map { Substring($0) }
    }

    /// What stands before the first such byte and what stands after it; nil when the byte is absent.
    func cut(at separator: UInt8) -> (Substring, Substring?) {
        guard let index = utf8.firstIndex(of: separator) else { return (self, nil) }
        return (Substring(utf8[..<index]), Substring(utf8[utf8.index(after: index)...]))
    }

    /// Without spaces and tabs at either end.
    func trimmed() -> Substring {
        var bytes = utf8
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes = bytes.dropFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes = bytes.dropLast() }
        return Substring(bytes)
    }

    /// A decimal number without sign of at most 18 digits, so that it fits an `Int`.
    var decimal: Int? {
        guard !isEmpty, utf8.count <= 18 else { return nil }
        var number = 0
        for byte in utf8 {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return number
    }
}

extension String {
    /// `Substring.decimal` of the whole text.
    var decimal: Int? { self[...].decimal }

    /// Without line ends and other control characters, so that a value can never begin a line of its own.
    var withoutControlCharacters: String {
        guard utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) else { return self }
        return String(decoding: utf8.filter { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }, as: UTF8.self)
    }
}
