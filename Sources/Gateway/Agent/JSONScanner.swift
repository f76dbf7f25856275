/// Walks one JSON text (RFC 8259) and reports the strings, numbers and words in it with the names they stand under, without
/// building values: the media path of an agent's messages.
///
/// Strings are reported as their raw bytes, escapes included. Anything that is not JSON ends the walk with `false`.
struct JSONScanner {
    /// A value found: `outer` is its key, or the key of the object it lies in, and `inner` then its own.
    struct Leaf {
        var outer: UnsafeRawBufferPointer
        var inner: UnsafeRawBufferPointer?
        /// A string's bytes between the quotes; else the text of a number or word, or, of the outermost object, the whole text of
        /// an object or array, after what lies in it.
        var value: UnsafeRawBufferPointer
        var isString: Bool
    }

    private let bytes: UnsafeRawBufferPointer
    private var place = 0

    /// Objects and arrays inside each other; deeper texts are refused.
    private static let deepest = 32

    private init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// - Returns: false when `bytes` are no JSON object.
    static func scan(_ bytes: UnsafeRawBufferPointer, report: (Leaf) -> Void) -> Bool {
        var scanner = JSONScanner(bytes)
        scanner.skipSpace()
        guard scanner.peek == UInt8(ascii: "{"), scanner.object(depth: 0, outer: nil, report: report) else { return false }
        scanner.skipSpace()
        return scanner.place == bytes.count
    }

    private var peek: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { place += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard peek == byte else { return false }
        place += 1
        return true
    }

    private mutating func object(depth: Int, outer: UnsafeRawBufferPointer?, report: (Leaf) -> Void) -> Bool {
        guard depth < Self.deepest, take(UInt8(ascii: "{")) else { return false }
        if take(UInt8(ascii: "}")) { return true }
        repeat {
            skipSpace()
            guard let key = string(), take(UInt8(ascii: ":")), value(key, depth: depth, outer: outer, report: report) else {
                return false
            }
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "}"))
    }

    private mutating func value(
        _ key: UnsafeRawBufferPointer, depth: Int, outer: UnsafeRawBufferPointer?, report: (Leaf) -> Void
    ) -> Bool {
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"):
            let start = place
            guard object(depth: depth + 1, outer: depth == 0 ? key : outer, report: depth == 0 ? report : { _ in }) else { return false }
            if depth == 0 { tell(key, nil, UnsafeRawBufferPointer(rebasing: bytes[start..<place]), isString: false, report) }
        case UInt8(ascii: "["):
            let start = place
            guard array(depth: depth + 1) else { return false }
            if depth == 0 { tell(key, nil, UnsafeRawBufferPointer(rebasing: bytes[start..<place]), isString: false, report) }
        case UInt8(ascii: "\""):
            guard let text = string() else { return false }
            tell(key, outer, text, isString: true, report)
        default:
            guard let text = word() else { return false }
            tell(key, outer, text, isString: false, report)
        }
        return true
    }

    private func tell(
        _ key: UnsafeRawBufferPointer, _ outer: UnsafeRawBufferPointer?, _ text: UnsafeRawBufferPointer, isString: Bool,
        _ report: (Leaf) -> Void
    ) {
        report(Leaf(outer: outer ?? key, inner: outer == nil ? nil : key, value: text, isString: isString))
    }

    private mutating func array(depth: Int) -> Bool {
        guard depth < Self.deepest, take(UInt8(ascii: "[")) else { return false }
        if take(UInt8(ascii: "]")) { return true }
        let nowhere = UnsafeRawBufferPointer(rebasing: bytes[0..<0])
        repeat {
            guard value(nowhere, depth: depth, outer: nowhere, report: { _ in }) else { return false }
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "]"))
    }

    private mutating func string() -> UnsafeRawBufferPointer? {
        guard peek == UInt8(ascii: "\"") else { return nil }
        place += 1
        let start = place
        skipPlain()
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                place += 1
                return UnsafeRawBufferPointer(rebasing: bytes[start..<(place - 1)])
            case UInt8(ascii: "\\"):
                place += 2
                skipPlain()
            case 0..<0x20: return nil
            default: place += 1
            }
        }
        return nil
    }

    /// Skips 64 bytes of a string at a time while no quote, backslash or control character is among them. Without a branch
    /// for each, so that the compiler takes sixteen together.
    private mutating func skipPlain() {
        while place + Self.blockLength <= bytes.count {
            var special: UInt8 = 0
            for index in place..<(place + Self.blockLength) {
                let byte = bytes[index]
                special |= (byte == UInt8(ascii: "\"") ? 1 : 0) | (byte == UInt8(ascii: "\\") ? 1 : 0) | (byte < 0x20 ? 1 : 0)
            }
            if special != 0 { return }
            place += Self.blockLength
        }
    }

    private static let blockLength = 64

    /// A number, true, false or null: its characters are checked, its grammar is not.
    private mutating func word() -> UnsafeRawBufferPointer? {
        let start = place
        while let byte = peek, Self.isWordByte(byte) { place += 1 }
        return place > start ? UnsafeRawBufferPointer(rebasing: bytes[start..<place]) : nil
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
            || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "E")
    }
}
