import Yams

/// Reads YAML text into `YAMLNode`s: one document, no anchors, aliases or tags, unique keys, bounded size and depth.
///
/// libyaml scans; three things around it are ours. Anchors and aliases are taken away before it sees the text
/// (`&` and `*` become private characters of the same width), so no file can expand itself. Duplicate keys, at which
/// Yams gives up, are renamed for the parse and then reported, each at its second place. Marks stay exact throughout.
public enum YAMLReader {
    /// A dial plan of tens of thousands of routes fits; a mistaken path to a log file does not.
    public static let maximumBytes = 4 * 1024 * 1024
    /// Far deeper than any key of ours, far from the end of a thread's stack.
    public static let maximumDepth = 32
    /// Each duplicate key costs one more parse of the file.
    static let maximumDuplicates = 20

    /// The root of the document, nil if it could not be read at all. What was wrong is added to `problems`;
    /// a root may come with errors, its remaining nodes are sound. An empty text is an empty mapping.
    public static func read(_ bytes: [UInt8], problems: ProblemList) -> YAMLNode? {
        guard bytes.count <= maximumBytes else {
            problems.error("the file is larger than \(maximumBytes / 1024 / 1024) MiB", line: 1, column: 1)
            return nil
        }
        var screen = YAMLScreen(bytes)
        if let refusal = screen.refusal {
            problems.error(refusal.message, line: refusal.line, column: refusal.column)
            return nil
        }
        do {
            guard let root = try compose(&screen) else {
                return YAMLNode(.mapping([]), line: 1, column: 1, isEmpty: true)
            }
            return convert(root, depth: 1, screen, problems)
        } catch let error as YamlError {
            report(error, screen, problems)
        } catch {
            problems.error("the file cannot be read as YAML", line: 1, column: 1)
        }
        return nil
    }

    /// As above, for text at hand.
    public static func read(text: String, problems: ProblemList) -> YAMLNode? {
        read(Array(text.utf8), problems: problems)
    }

    /// Composes, renaming one duplicate key after the other until none is left.
    private static func compose(_ screen: inout YAMLScreen) throws -> Node? {
        while true {
            do {
                return try Parser(yaml: screen.text, resolver: .basic, encoding: .utf8).singleRoot()
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                let renamed = screen.renamed.count < maximumDuplicates
                    && screen.rename(names.first ?? "", line: context.mark.line, column: context.mark.column)
                guard renamed else { throw YamlError.duplicatedKeysInMapping(duplicates: names, context: context) }
            }
        }
    }

    private static func convert(_ node: Node, depth: Int, _ screen: YAMLScreen, _ problems: ProblemList) -> YAMLNode? {
        let mark = YAMLScreen.Place(node.mark)
        func refuse(_ message: String) -> YAMLNode? {
            problems.error(message, line: mark.line, column: mark.column)
            return nil
        }
        guard depth <= maximumDepth else { return refuse("nested deeper than \(maximumDepth) levels") }
        let tag = node.tag.rawValue
        switch node {
        case .scalar(let scalar):
            guard tag == Tag.Name.str.rawValue else { return refuse("tags are not read here (\(YAMLNode.quote(tag)))") }
            let plain = scalar.style == .plain
            if plain, screen.isReference(scalar.string) { return refuse(YAMLScreen.referenceRefusal) }
            return YAMLNode(
                .scalar(screen.original(scalar.string)), line: mark.line, column: mark.column,
                isEmpty: plain && scalar.string.isEmpty)
        case .sequence(let sequence):
            guard tag == Tag.Name.seq.rawValue else { return refuse("tags are not read here (\(YAMLNode.quote(tag)))") }
            let items = sequence.compactMap { convert($0, depth: depth + 1, screen, problems) }
            return YAMLNode(.sequence(items), line: mark.line, column: mark.column)
        case .mapping(let mapping):
            guard tag == Tag.Name.map.rawValue else { return refuse("tags are not read here (\(YAMLNode.quote(tag)))") }
            return convert(mapping, mark, depth: depth, screen, problems)
        case .alias:
            return refuse(YAMLScreen.referenceRefusal)
        }
    }

    private static func convert(
        _ mapping: Node.Mapping, _ mark: YAMLScreen.Place, depth: Int, _ screen: YAMLScreen, _ problems: ProblemList
    ) -> YAMLNode {
        var entries: [YAMLNode.Entry] = []
        var firstLines: [String: Int] = [:]
        for (key, value) in mapping {
            let place = YAMLScreen.Place(key.mark)
            guard case .scalar(let scalar) = key else {
                problems.error("a key must be a single word", line: place.line, column: place.column)
                continue
            }
            let name = screen.name(ofKey: scalar.string, line: place.line, column: place.column)
            if scalar.style == .plain, screen.isReference(scalar.string) {
                problems.error(YAMLScreen.referenceRefusal, line: place.line, column: place.column)
                continue
            }
            if let first = firstLines[name] {
                problems.error(
                    "duplicate key \(YAMLNode.quote(name)), first given in line \(first)", line: place.line, column: place.column)
                continue
            }
            firstLines[name] = place.line
            guard let converted = convert(value, depth: depth + 1, screen, problems) else { continue }
            entries.append(YAMLNode.Entry(key: name, line: place.line, column: place.column, value: converted))
        }
        return YAMLNode(.mapping(entries), line: mark.line, column: mark.column)
    }

    private static func report(_ error: YamlError, _ screen: YAMLScreen, _ problems: ProblemList) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            // An anchor before a block mapping is a syntax error once it is neutralised: name the real cause.
            if let place = screen.referenceNear(line: mark.line) {
                problems.error(YAMLScreen.referenceRefusal, line: place.line, column: place.column)
                return
            }
            let reason = [context?.text, problem].compactMap { $0 }.joined(separator: ", ")
            problems.error("not valid YAML: \(reason)", line: mark.line, column: mark.column)
        case .duplicatedKeysInMapping(let names, let context):
            problems.error(
                "duplicate key \(YAMLNode.quote(screen.original(names.first ?? "")))", line: context.mark.line, column: context.mark.column)
        default:
            problems.error("the file cannot be read as YAML", line: 1, column: 1)
        }
    }
}
