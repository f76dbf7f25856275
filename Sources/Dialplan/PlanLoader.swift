/// Reads a dial plan file: everything wrong with it is found in one pass, each with its place.
struct PlanLoader {
    let context: PlanContext
    let problems: ProblemList

    /// The plan as far as it is sound. Whether it may be used, `problems` says.
    func load(_ bytes: [UInt8]) -> Plan {
        guard let root = YAMLReader.read(bytes, problems: problems) else { return .empty }
        let reader = MappingReader(root, "the dial plan", problems)
        let routeNodes = reader.list("routes") ?? []
        let testNodes = reader.list("tests") ?? []
        reader.finish()

        var names: [String: Int] = [:]
        let pairs = routeNodes.compactMap { node in readRoute(node, &names).map { (route: $0, node: node) } }
        let routes = pairs.map(\.route)
        let tests = testNodes.compactMap { readTest($0, routes: names) }
        let plan = Plan(routes: routes, testCount: testNodes.count, context: context)
        // What follows means nothing while parts of the plan are missing.
        if !problems.hasErrors {
            for test in tests { test.run(plan, problems) }
            PlanLint(context: context, problems: problems, routes: routes, nodes: pairs.map(\.node)).check()
        }
        return plan
    }

    // MARK: Routes

    /// Names stand in logs, records and tables.
    private static let longestName = 100
    /// A week: a call beyond it has been forgotten.
    private static let longestMinutes = 7 * 24 * 60

    private func readRoute(_ node: YAMLNode, _ names: inout [String: Int]) -> Route? {
        let reader = MappingReader(node, "a route", problems)
        let name = readName(reader, &names)
        let when = readWhen(reader.take("when"))
        let steps = readSteps(reader, node)
        let maxMinutes = reader.integer("max_minutes", in: 1...PlanLoader.longestMinutes)
        reader.finish()
        guard let name else { return nil }
        return Route(name: name, when: when, steps: steps, maxMinutes: maxMinutes, line: node.line)
    }

    private func readName(_ reader: MappingReader, _ names: inout [String: Int]) -> String? {
        guard let node = reader.take("name") else {
            if case .mapping = reader.node.content { problems.error("a route needs a name", at: reader.node) }
            return nil
        }
        guard let name = reader.text(of: node, "name") else { return nil }
        guard HeaderName.isValidValue(name), name.utf8.count <= Self.longestName else {
            problems.error("name must be a single line of at most \(Self.longestName) bytes, not \(node.quoted)", at: node)
            return nil
        }
        guard name != PlanTest.refused else {
            problems.error("a route cannot be called “\(PlanTest.refused)”, which is what tests expect of calls that are not taken", at: node)
            return nil
        }
        if let first = names[name] {
            problems.error("a route called \(node.quoted) is already in line \(first)", at: node)
            return nil
        }
        names[name] = node.line
        return name
    }

    // MARK: Conditions

    private func readWhen(_ node: YAMLNode?) -> When {
        let reader = MappingReader(node, "when", problems)
        var when = When()
        when.via = reader.take("via").flatMap { readSource($0, reader) }
        when.from = reader.take("from").flatMap { readPattern($0, "from", reader) }
        when.to = reader.take("to").flatMap { readPattern($0, "to", reader) }
        for entry in reader.entries("header") ?? [] {
            guard HeaderName.isValid(entry.key) else {
                problems.error("\(YAMLNode.quote(entry.key)) is not the name of a header", line: entry.line, column: entry.column)
                continue
            }
            if let pattern = readPattern(entry.value, "header \(entry.key)", reader) {
                when.headers.append(When.Header(name: entry.key, pattern: pattern))
            }
        }
        when.time = reader.take("time").flatMap(readTime)
        reader.finish()
        return when
    }

    func readSource(_ node: YAMLNode, _ reader: MappingReader) -> Source? {
        guard let text = reader.text(of: node, "via") else { return nil }
        let source = Source(text)
        if case .trunk(let name) = source, context.trunks[name] == nil {
            problems.error("via must be a trunk's name, browser or api; there is no trunk \(node.quoted)", at: node)
            return nil
        }
        return source
    }

    private func readPattern(_ node: YAMLNode, _ key: String, _ reader: MappingReader) -> Pattern? {
        if case .mapping(let entries) = node.content { return readRegex(node, key, isEmpty: entries.isEmpty) }
        guard let text = reader.text(of: node, key) else { return nil }
        do {
            let pattern = try Pattern(text)
            if pattern.isName, text.hasPrefix("+") {
                problems.warning("\(key) \(node.quoted) is compared as a name, for it has characters that no pattern has", at: node)
            }
            return pattern
        } catch {
            problems.error("the pattern \(node.quoted) \(error.reason)", at: node)
            return nil
        }
    }

    private func readRegex(_ node: YAMLNode, _ key: String, isEmpty: Bool) -> Pattern? {
        let reader = MappingReader(node, key, problems)
        let regex = reader.take("regex")
        reader.finish()
        guard let regex else {
            // Any other key was reported as unknown.
            if isEmpty { problems.error("\(key) must be a pattern, a name or { regex: … }", at: node) }
            return nil
        }
        guard let text = reader.text(of: regex, "regex") else { return nil }
        do {
            return try Pattern(regex: text)
        } catch {
            problems.error("the regex \(regex.quoted) \(error.reason)", at: regex)
            return nil
        }
    }

    private func readTime(_ node: YAMLNode) -> TimeWindow? {
        let reader = MappingReader(node, "time", problems)
        let days = reader.text("days"), hours = reader.text("hours"), zone = reader.text("zone")
        reader.finish()
        guard case .mapping = node.content else { return nil }
        guard let zone else {
            problems.error("time needs a zone, such as America/New_York", at: node)
            return nil
        }
        guard days != nil || hours != nil else {
            problems.error("time needs days or hours", at: node)
            return nil
        }
        do {
            return try TimeWindow(days: days, hours: hours, zone: zone)
        } catch {
            problems.error(error.reason, at: node)
            return nil
        }
    }
}

/// Names of SIP headers.
enum HeaderName {
    /// Headers that the gateway itself writes, or that would change where a call goes.
    private static let reserved: Set<String> = [
        "via", "from", "to", "call-id", "cseq", "contact", "route", "record-route", "max-forwards", "authorization",
        "proxy-authorization", "www-authenticate", "proxy-authenticate", "require", "proxy-require", "supported", "allow",
        "expires", "session-expires", "min-se", "event", "refer-to", "referred-by", "replaces",
        // The compact forms of some of the above (RFC 3261 7.3.3).
        "v", "f", "t", "i", "m", "k", "l", "c", "e", "x", "o", "r", "b",
    ]

    /// A token of RFC 3261.
    static func isValid(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 64 && name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || "-.!%*_+`'~".utf8.contains(byte)
        }
    }

    static func isReserved(_ name: String) -> Bool {
        let lowercased = name.lowercased()
        return reserved.contains(lowercased) || lowercased.hasPrefix("content-")
    }

    /// Text without line breaks or other control characters, so that it stays one header.
    static func isValidValue(_ value: String) -> Bool {
        value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}
