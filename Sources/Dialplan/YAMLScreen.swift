import Yams

/// The text on its way to libyaml: checked for what YAML does not allow, with `&` and `*` replaced by private-use
/// characters the text itself does not contain, so that anchors and aliases do not exist for the parser.
struct YAMLScreen {
    struct Refusal {
        let message: String
        let line: Int
        let column: Int
    }

    static let referenceRefusal = "anchors and aliases are not read here; quote a value that begins with & or *"

    /// What libyaml reads.
    private(set) var text: String
    /// Why the text cannot be given to libyaml, if so.
    private(set) var refusal: Refusal?
    /// Keys renamed to make them unique, with the names they really have.
    private(set) var renamed: [Place: String] = [:]

    struct Place: Hashable {
        let line: Int
        let column: Int

        init(line: Int, column: Int) {
            self.line = line
            self.column = column
        }

        /// Every node that was parsed has a mark; the start of the file stands in for one without.
        init(_ mark: Mark?) {
            self.init(line: mark?.line ?? 1, column: mark?.column ?? 1)
        }
    }

    private let anchor: Unicode.Scalar
    private let alias: Unicode.Scalar
    private var spare: ArraySlice<Unicode.Scalar>
    private let hasReferences: Bool

    init(_ bytes: [UInt8]) {
        // The whole private-use area of the basic plane, without what the text itself uses.
        let used = YAMLScreen.privateScalars(in: bytes)
        let free = (0xE000...0xF8FF).lazy.compactMap { Unicode.Scalar(UInt32($0)) }.filter { !used.contains($0) }
            .prefix(YAMLReader.maximumDuplicates + 2)
        let characters = Array(free)
        guard characters.count >= 2 else {
            text = ""
            (anchor, alias, spare, hasReferences) = ("&", "*", [], false)
            refusal = Refusal(message: "the file is not text", line: 1, column: 1)
            return
        }
        anchor = characters[0]
        alias = characters[1]
        spare = characters[2...]
        hasReferences = bytes.contains(0x26) || bytes.contains(0x2A)
        text = ""
        if let place = YAMLScreen.firstUnreadable(bytes) {
            refusal = Refusal(message: place.message, line: place.line, column: place.column)
            return
        }
        text = hasReferences ? YAMLScreen.replacing(bytes, anchor, alias) : String(decoding: bytes, as: UTF8.self)
    }

    /// Whether a plain scalar is an anchor or an alias.
    func isReference(_ scalar: String) -> Bool {
        guard hasReferences, let first = scalar.unicodeScalars.first else { return false }
        return first == anchor || first == alias
    }

    /// The text as the file has it.
    func original(_ text: String) -> String {
        guard hasReferences else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            result.append(scalar == anchor ? "&" : scalar == alias ? "*" : scalar)
        }
        return String(result)
    }

    /// The name a key has in the file, also when it was renamed.
    func name(ofKey key: String, line: Int, column: Int) -> String {
        original(renamed[Place(line: line, column: column)] ?? key)
    }

    /// Overwrites one character of the key at a place, so that it no longer equals its twin. False if that cannot be done.
    mutating func rename(_ name: String, line: Int, column: Int) -> Bool {
        let place = Place(line: line, column: column)
        guard renamed[place] == nil, let character = spare.first, var index = YAMLScreen.index(of: place, in: text) else { return false }
        let scalars = text.unicodeScalars
        if scalars[index] == "\"" || scalars[index] == "'" { index = scalars.index(after: index) }
        guard index < scalars.endIndex, scalars[index] != "\\", name.unicodeScalars.first == scalars[index] else { return false }
        text.unicodeScalars.replaceSubrange(index...index, with: CollectionOfOne(character))
        spare = spare.dropFirst()
        renamed[place] = name
        return true
    }

    /// An anchor or alias at the start of a token in this line or the one before.
    func referenceNear(line: Int) -> Place? {
        guard hasReferences else { return nil }
        var cursor = YAMLCursor()
        var before: Unicode.Scalar = "\n"
        var candidate: Place?
        var inComment = false
        for scalar in text.unicodeScalars {
            if cursor.line > line { return nil }
            let startsToken = before == " " || before == "\n" || before == "\r" || before == "[" || before == "{" || before == ","
            // A name must follow: `* item` is text of a comment or block, not an alias.
            if let candidate, !scalar.properties.isWhitespace { return candidate }
            let isMark = startsToken && !inComment && cursor.line >= line - 1 && (scalar == anchor || scalar == alias)
            candidate = isMark ? Place(line: cursor.line, column: cursor.column) : nil
            if scalar == "\n" || scalar == "\r" { inComment = false } else if scalar == "#", startsToken { inComment = true }
            cursor.advance(over: scalar)
            before = scalar
        }
        return nil
    }

    private static func index(of place: Place, in text: String) -> String.Index? {
        var cursor = YAMLCursor()
        let scalars = text.unicodeScalars
        var index = scalars.startIndex
        while index < scalars.endIndex {
            if cursor.line == place.line, cursor.column == place.column { return index }
            cursor.advance(over: scalars[index])
            index = scalars.index(after: index)
        }
        return nil
    }

    /// The first place that is not UTF-8, or a character YAML does not allow.
    private static func firstUnreadable(_ bytes: [UInt8]) -> Refusal? {
        var cursor = YAMLCursor()
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        while true {
            switch decoder.decode(&iterator) {
            case .emptyInput:
                return nil
            case .error:
                return Refusal(message: "the file is not UTF-8 text", line: cursor.line, column: cursor.column)
            case .scalarValue(let scalar):
                guard isPrintable(scalar) else {
                    let code = String(scalar.value, radix: 16, uppercase: true)
                    return Refusal(message: "the control character U+\(code) is not allowed", line: cursor.line, column: cursor.column)
                }
                cursor.advance(over: scalar)
            }
        }
    }

    /// YAML 1.1, 5.1: what a stream may contain.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }

    private static func privateScalars(in bytes: [UInt8]) -> Set<Unicode.Scalar> {
        // The area is encoded as EE xx xx and EF 80…A3 xx; without these lead bytes there is nothing to look for.
        guard bytes.contains(where: { $0 == 0xEE || $0 == 0xEF }) else { return [] }
        return Set(String(decoding: bytes, as: UTF8.self).unicodeScalars.filter { (0xE000...0xF8FF).contains($0.value) })
    }

    private static func replacing(_ bytes: [UInt8], _ anchor: Unicode.Scalar, _ alias: Unicode.Scalar) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + 64)
        for byte in bytes {
            switch byte {
            case 0x26: result.append(contentsOf: UTF8.encode(anchor) ?? .init())
            case 0x2A: result.append(contentsOf: UTF8.encode(alias) ?? .init())
            default: result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// Counts lines and columns as libyaml does: scalars, with every line break of YAML 1.1.
struct YAMLCursor {
    private(set) var line = 1
    private(set) var column = 1
    private var afterReturn = false
    private var atStart = true

    mutating func advance(over scalar: Unicode.Scalar) {
        defer {
            afterReturn = scalar == "\r"
            atStart = false
        }
        if atStart, scalar == "\u{FEFF}" { return }
        switch scalar {
        case "\n" where afterReturn: return
        case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}":
            line += 1
            column = 1
        default: column += 1
        }
    }
}
