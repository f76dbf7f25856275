/// A strict reader of small XML 1.0 documents: elements, attributes, character data, CDATA, comments, and the references that need
/// no declaration. Document types and processing instructions are refused, so nothing expands and nothing is loaded.
struct MarkupReader {
    /// What is wrong, and where.
    struct Failure: Error, Equatable, CustomStringConvertible {
        var line: Int
        var reason: String

        var description: String { "line \(line): \(reason)" }
    }

    /// Bytes of a document; TwiML of more than this is refused by others too.
    static let largestDocument = 64 << 10
    /// Elements within each other. TwiML has four.
    private static let deepest = 8
    private static let mostElements = 500
    private static let mostAttributes = 40

    private let bytes: [UInt8]
    private var position = 0
    private var elements = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The document's root element.
    static func read(_ bytes: [UInt8]) throws(Failure) -> MarkupElement {
        var reader = MarkupReader(bytes)
        guard bytes.count <= largestDocument else { throw Failure(line: 1, reason: "the document is larger than 64 KiB") }
        guard String(validating: bytes, as: UTF8.self) != nil else { throw Failure(line: 1, reason: "the document is not UTF-8") }
        _ = reader.take("\u{FEFF}")
        if reader.looksAt("<?xml") { try reader.skip(past: "?>") }
        try reader.skipBetween()
        guard reader.take("<") else { throw reader.failure("an element was expected") }
        let root = try reader.element(depth: 1)
        try reader.skipBetween()
        guard reader.position == bytes.count else { throw reader.failure("something follows the root element") }
        return root
    }

    // MARK: Elements

    /// Behind the `<`.
    private mutating func element(depth: Int) throws(Failure) -> MarkupElement {
        elements += 1
        guard depth <= Self.deepest else { throw failure("elements are nested too deep") }
        guard elements <= Self.mostElements else { throw failure("the document has too many elements") }
        var element = MarkupElement(name: try name(), line: line)
        while true {
            let hadSpace = skipSpace()
            if take("/>") { return element }
            if take(">") { break }
            guard hadSpace else { throw failure("a space, > or /> was expected") }
            try attribute(of: &element)
        }
        try content(of: &element, depth: depth)
        return element
    }

    private mutating func attribute(of element: inout MarkupElement) throws(Failure) {
        let name = try name()
        skipSpace()
        guard take("=") else { throw failure("attribute \(name) has no value") }
        skipSpace()
        guard let quote = next, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            throw failure("the value of attribute \(name) is not quoted")
        }
        position += 1
        var value = ""
        while let byte = next, byte != quote {
            guard byte != UInt8(ascii: "<") else { throw failure("< in the value of attribute \(name)") }
            value += try character(byte)
        }
        guard next == quote else { throw failure("the value of attribute \(name) does not end") }
        position += 1
        guard element.attributes.count < Self.mostAttributes else { throw failure("an element has too many attributes") }
        guard element.attributes.updateValue(value, forKey: name) == nil else { throw failure("attribute \(name) is there twice") }
    }

    /// Up to and with the end tag.
    private mutating func content(of element: inout MarkupElement, depth: Int) throws(Failure) {
        while let byte = next {
            if take("</") {
                guard try name() == element.name else { throw failure("the end tag is not that of <\(element.name)>") }
                skipSpace()
                guard take(">") else { throw failure("> was expected") }
                element.text = Self.trimmed(element.text)
                return
            } else if looksAt("<!--") {
                try skip(past: "-->")
            } else if take("<![CDATA[") {
                let start = position
                try skip(past: "]]>")
                element.text += String(decoding: bytes[start..<position - 3], as: UTF8.self)
            } else if looksAt("<!") || looksAt("<?") {
                throw failure("document types and processing instructions are not taken")
            } else if take("<") {
                element.children.append(try self.element(depth: depth + 1))
            } else {
                element.text += try character(byte)
            }
        }
        throw failure("<\(element.name)> does not end")
    }

    // MARK: Characters

    /// A run of plain characters, or what a reference stands for.
    private mutating func character(_ first: UInt8) throws(Failure) -> String {
        guard first == UInt8(ascii: "&") else {
            let start = position
            let ends: [UInt8] = [UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: "\""), UInt8(ascii: "'")]
            repeat { position += 1 } while position < bytes.count && !ends.contains(bytes[position])
            return String(decoding: bytes[start..<position], as: UTF8.self)
        }
        let rest = bytes[(position + 1)...].prefix(12)
        guard let end = rest.firstIndex(of: UInt8(ascii: ";")) else { throw failure("& begins no reference; write &amp;") }
        let reference = String(decoding: bytes[position + 1..<end], as: UTF8.self)
        guard let text = Self.meaning(of: reference) else { throw failure("&\(reference); is unknown") }
        position = end + 1
        return text
    }

    private static func meaning(of reference: String) -> String? {
        switch reference {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default: break
        }
        guard reference.hasPrefix("#") else { return nil }
        let digits = reference.dropFirst()
        let code = digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        // XML 1.0 2.2: no control characters but these.
        guard let code, code >= 0x20 || [9, 10, 13].contains(code), let scalar = Unicode.Scalar(code) else { return nil }
        return String(Character(scalar))
    }

    private mutating func name() throws(Failure) -> String {
        let start = position
        while let byte = next, Self.isNameByte(byte) { position += 1 }
        guard position > start, !(0x30...0x39).contains(bytes[start]) else { throw failure("a name was expected") }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x3A, 0x41...0x5A, 0x5F, 0x61...0x7A, 0x2D, 0x2E: true
        default: byte >= 0x80
        }
    }

    private static func trimmed(_ text: String) -> String {
        let start = text.drop { $0.isWhitespace }
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...last])
    }

    // MARK: Position

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }
    private var line: Int { bytes[..<position].count { $0 == 10 } + 1 }
    private func failure(_ reason: String) -> Failure { Failure(line: line, reason: reason) }

    private func looksAt(_ text: String) -> Bool { bytes[position...].starts(with: text.utf8) }

    private mutating func take(_ text: String) -> Bool {
        guard looksAt(text) else { return false }
        position += text.utf8.count
        return true
    }

    @discardableResult private mutating func skipSpace() -> Bool {
        let start = position
        while let byte = next, [9, 10, 13, 32].contains(byte) { position += 1 }
        return position > start
    }

    /// White space and comments outside the root element.
    private mutating func skipBetween() throws(Failure) {
        skipSpace()
        while looksAt("<!--") {
            try skip(past: "-->")
            skipSpace()
        }
        guard !looksAt("<!"), !looksAt("<?") else { throw failure("document types and processing instructions are not taken") }
    }

    private mutating func skip(past end: String) throws(Failure) {
        while position < bytes.count {
            if take(end) { return }
            position += 1
        }
        throw failure("\(end) is missing")
    }
}
