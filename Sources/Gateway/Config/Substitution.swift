import Dialplan

/// Puts environment variables into scalars: `${NAME}` takes one, `$${` is a literal `${`.
struct Substitution {
    let environment: [String: String]
    let problems: ProblemList

    /// The tree with every scalar substituted. What is unset or malformed is reported at its scalar and left as it is.
    func apply(to node: YAMLNode) -> YAMLNode {
        var result = node
        switch node.content {
        case .scalar(let text):
            guard text.utf8.contains(UInt8(ascii: "$")), let replaced = replace(text, node) else { return node }
            result.content = .scalar(replaced.text)
            result.isSecret = replaced.isFromOutside
            result.isEmpty = false
        case .sequence(let items):
            result.content = .sequence(items.map(apply))
        case .mapping(let entries):
            result.content = .mapping(entries.map { entry in
                var entry = entry
                entry.value = apply(to: entry.value)
                return entry
            })
        }
        return result
    }

    private func replace(_ text: String, _ node: YAMLNode) -> (text: String, isFromOutside: Bool)? {
        var result = ""
        var isFromOutside = false
        var isSound = true
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                result += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else {
                    problems.error("${ without its }; write $${ for a literal one", at: node)
                    return nil
                }
                let name = String(rest.dropFirst(2)[..<end])
                if !Substitution.isName(name) {
                    problems.error("\(YAMLNode.quote(name)) is not the name of an environment variable", at: node)
                    isSound = false
                } else if let value = environment[name] {
                    result += value
                    isFromOutside = true
                } else {
                    problems.error("the environment variable \(name) is not set", at: node)
                    isSound = false
                }
                rest = rest[rest.index(after: end)...]
            } else {
                result += "$"
                rest = rest.dropFirst()
            }
        }
        return isSound ? (result + rest, isFromOutside) : nil
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_")
        }
    }
}
