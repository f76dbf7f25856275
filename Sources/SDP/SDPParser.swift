/// Reads the lines of a description into values; tolerant where real peers are careless and nothing depends on it.
struct SDPParser {
    private var session = SessionDescription()
    private var section: MediaDescription?
    private var number = 0
    private var sawVersion: Bool

    static func parse(_ text: String, requiringVersion: Bool) throws(SDPError) -> SessionDescription {
        guard text.utf8.count <= SDPLimits.maximumBytes else { throw .tooLarge(bytes: text.utf8.count) }
        var parser = SDPParser(sawVersion: !requiringVersion)
        for line in try lines(of: text[...]) { try parser.read(line) }
        guard parser.sawVersion else { throw .missingVersion }
        try parser.closeSection()
        return parser.session
    }

    private init(sawVersion: Bool) {
        self.sawVersion = sawVersion
    }

    /// CRLF, LF and a lone CR all end a line: were a lone CR kept, it could be smuggled into what we write.
    private static func lines(of text: Substring) throws(SDPError) -> [Substring] {
        let bytes = text.utf8
        var lines: [Substring] = []
        var start = bytes.startIndex
        var index = start
        while index < bytes.endIndex {
            let byte = bytes[index]
            let next = bytes.index(after: index)
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                let isCRLF = byte == UInt8(ascii: "\r") && next < bytes.endIndex && bytes[next] == UInt8(ascii: "\n")
                lines.append(Substring(bytes[start..<index]))
                start = isCRLF ? bytes.index(after: next) : next
                index = start
                guard lines.count <= SDPLimits.maximumLines else { throw .tooMany(what: "lines", limit: SDPLimits.maximumLines) }
            } else if byte < 0x20 && byte != 0x09 || byte == 0x7F {
                throw .controlCharacter(number: lines.count + 1)
            } else {
                index = next
            }
        }
        if start < bytes.endIndex { lines.append(Substring(bytes[start...])) }
        return lines
    }

    private mutating func read(_ line: Substring) throws(SDPError) {
        number += 1
        // Blank lines, at the end above all, are common and harmless.
        if line.trimmed().isEmpty { return }
        let (letters, rest) = line.cut(at: UInt8(ascii: "="))
        guard let rest, letters.utf8.count == 1, let letter = letters.utf8.first else {
            throw sawVersion ? .malformedLine(number: number) : .missingVersion
        }
        let value = rest.trimmed()
        if !sawVersion {
            guard letter == UInt8(ascii: "v"), value == "0" else { throw .missingVersion }
            sawVersion = true
            return
        }
        switch letter {
        case UInt8(ascii: "o") where section == nil: session.origin = Origin(parsing: value)
        case UInt8(ascii: "s") where section == nil: session.name = value.isEmpty ? "-" : String(value)
        case UInt8(ascii: "c"): try readConnection(value)
        case UInt8(ascii: "m"): try openSection(value)
        case UInt8(ascii: "a"): try readAttribute(value)
        default: break
        }
    }

    private mutating func readConnection(_ value: Substring) throws(SDPError) {
        guard let connection = Connection(parsing: value) else { throw .malformedConnection(number: number) }
        if section != nil { section?.connection = connection } else { session.connection = connection }
    }

    private mutating func readAttribute(_ value: Substring) throws(SDPError) {
        let (name, rest) = value.cut(at: UInt8(ascii: ":"))
        let attribute = Attribute(String(name.trimmed()), rest.map { String($0.trimmed()) })
        guard !attribute.name.isEmpty else { throw .malformedLine(number: number) }
        guard (section?.attributes ?? session.attributes).count < SDPLimits.maximumAttributes else {
            throw .tooMany(what: "attributes in one section", limit: SDPLimits.maximumAttributes)
        }
        if section != nil { section?.attributes.append(attribute) } else { session.attributes.append(attribute) }
    }

    private mutating func openSection(_ value: Substring) throws(SDPError) {
        try closeSection()
        guard let opened = MediaDescription(parsing: value) else { throw .malformedMedia(number: number) }
        guard opened.formats.count <= SDPLimits.maximumFormats else {
            throw .tooMany(what: "formats in one section", limit: SDPLimits.maximumFormats)
        }
        section = opened
    }

    private mutating func closeSection() throws(SDPError) {
        guard let section else { return }
        guard session.media.count < SDPLimits.maximumMediaSections else {
            throw .tooMany(what: "media sections", limit: SDPLimits.maximumMediaSections)
        }
        session.media.append(section)
        self.section = nil
    }
}
