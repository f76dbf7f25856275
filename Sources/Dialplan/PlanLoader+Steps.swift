/// The `do` of a route.
extension PlanLoader {
    private static let kinds = ["agent", "trunk", "browser", "play", "reject"]

    func readSteps(_ route: MappingReader, _ node: YAMLNode) -> [Step] {
        guard case .mapping = node.content else { return [] }
        let before = problems.all.count
        let nodes = route.list("do")
        if nodes == nil ? problems.all.count == before : nodes?.isEmpty == true {
            problems.error("a route needs do: a list with at least one step", at: node)
        }
        var steps: [Step] = []
        for node in nodes ?? [] {
            if case .reject = steps.last {
                problems.warning("this step is never reached: reject ends the call", at: node)
            }
            if let step = readStep(node) { steps.append(step) }
        }
        return steps
    }

    private func readStep(_ node: YAMLNode) -> Step? {
        guard case .mapping(let entries) = node.content else {
            problems.error("a step must be a mapping such as { agent: demo }, not \(node.quoted)", at: node)
            return nil
        }
        let found = entries.filter { Self.kinds.contains($0.key) }
        guard let kind = found.first, found.count == 1 else {
            let what = found.isEmpty ? "has no" : "has more than one"
            problems.error("a step \(what) of \(MappingReader.either(Self.kinds))", at: node)
            return nil
        }
        let reader = MappingReader(node, "the \(kind.key) step", problems)
        defer { reader.finish() }
        switch kind.key {
        case "agent": return readAgent(reader).map(Step.agent)
        case "trunk": return readTrunk(reader).map(Step.trunk)
        case "browser": return readBrowser(reader).map(Step.browser)
        case "play": return readPlay(reader).map(Step.play)
        default: return reader.integer("reject", in: 400...699).map(Step.reject)
        }
    }

    /// A WAV file that is there and that can be played, by its path.
    private func readPlay(_ reader: MappingReader) -> String? {
        guard let node = reader.take("play"), let name = reader.text(of: node, "play") else { return nil }
        guard let files = context.files else { return name }
        let path = files.resolve(name)
        do {
            let head = try files.head(path)
            _ = try WAVHeader(head.bytes, size: head.size)
            return path
        } catch let error as PlanFiles.Unreadable {
            problems.error("the file \(node.quoted) cannot be read: \(error.reason)", at: node)
        } catch let error as WAVHeader.Unplayable {
            problems.error("the file \(node.quoted) cannot be played: \(error.reason)", at: node)
        } catch {
            problems.error("the file \(node.quoted) cannot be read", at: node)
        }
        return nil
    }

    private func readAgent(_ reader: MappingReader) -> AgentStep? {
        let node = reader.take("agent")
        var step = AgentStep(name: "")
        for entry in reader.entries("parameters") ?? [] {
            if let value = reader.text(of: entry.value, "parameter \(YAMLNode.quote(entry.key))") { step.parameters[entry.key] = value }
        }
        if let bargeIn = reader.take("barge_in") {
            if let text = bargeIn.text, let value = AgentStep.BargeIn(rawValue: text) {
                step.bargeIn = value
            } else {
                problems.error("barge_in must be off, report, duck or flush, not \(bargeIn.quoted)", at: bargeIn)
            }
        }
        step.record = readRecord(reader)
        guard let node, let name = reader.text(of: node, "agent") else { return nil }
        guard context.agents.contains(name) else {
            problems.error("there is no agent \(node.quoted)\(suggestion(name, context.agents))", at: node)
            return nil
        }
        step.name = name
        return step
    }

    private func readRecord(_ reader: MappingReader) -> Bool {
        guard let record = reader.take("record") else { return false }
        if record.text != "true", record.text != "false" { problems.error("record must be true or false, not \(record.quoted)", at: record) }
        return record.text == "true"
    }

    private func readBrowser(_ reader: MappingReader) -> BrowserStep? {
        let node = reader.take("browser")
        var step = BrowserStep(user: "", ringSeconds: reader.integer("ring_seconds", in: 1...600))
        step.record = readRecord(reader)
        guard let node, let user = reader.text(of: node, "browser") else { return nil }
        guard BrowserStep.isName(user) else {
            problems.error("browser must name a user in at most \(BrowserStep.longestName) bytes, not \(node.quoted)", at: node)
            return nil
        }
        step.user = user
        return step
    }

    private func readTrunk(_ reader: MappingReader) -> TrunkStep? {
        var step = TrunkStep(trunks: readTrunkNames(reader))
        let to = reader.take("to")
        step.to = to.flatMap { readNumber($0, "to", reader) }
        let strip = reader.take("strip"), prepend = reader.take("prepend")
        step.strip = strip.flatMap { reader.integer(of: $0, "strip", in: 0...32) } ?? 0
        step.prepend = prepend.flatMap { readNumber($0, "prepend", reader) } ?? ""
        if to != nil, let other = strip ?? prepend {
            problems.error("to dials its own number: strip and prepend do not go with it", at: other)
        }
        step.callerID = reader.take("caller_id").flatMap { readNumber($0, "caller_id", reader) }
        for entry in reader.entries("headers") ?? [] {
            guard HeaderName.isValid(entry.key), !HeaderName.isReserved(entry.key) else {
                problems.error("a call's \(YAMLNode.quote(entry.key)) header cannot be set", line: entry.line, column: entry.column)
                continue
            }
            guard let value = reader.text(of: entry.value, "header \(entry.key)") else { continue }
            guard HeaderName.isValidValue(value) else {
                problems.error("header \(entry.key) must be a single line of text", at: entry.value)
                continue
            }
            step.headers[entry.key] = value
        }
        step.ringSeconds = reader.integer("ring_seconds", in: 1...600)
        step.record = readRecord(reader)
        return step.trunks.isEmpty ? nil : step
    }

    private func readTrunkNames(_ reader: MappingReader) -> [String] {
        guard let node = reader.take("trunk") else { return [] }
        var names: [YAMLNode] = [node]
        if case .sequence(let items) = node.content {
            names = items
            if items.isEmpty { problems.error("trunk needs at least one name", at: node) }
        }
        return names.compactMap { node in
            guard let name = reader.text(of: node, "trunk") else { return nil }
            guard context.trunks[name] != nil else {
                problems.error("there is no trunk \(node.quoted)\(suggestion(name, context.trunks.keys))", at: node)
                return nil
            }
            return name
        }
    }

    /// What may be dialled: digits and names without anything that has a meaning in a SIP URI. `#` is escaped there.
    private func readNumber(_ node: YAMLNode, _ key: String, _ reader: MappingReader) -> String? {
        guard let text = reader.text(of: node, key) else { return nil }
        let isDialable = text.utf8.count <= 64 && text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || "+-_.*#".utf8.contains(byte)
        }
        guard isDialable else {
            problems.error("\(key) must be a number or a user's name, not \(node.quoted)", at: node)
            return nil
        }
        return text
    }

    private func suggestion(_ name: String, _ known: some Collection<String>) -> String {
        Spelling.nearest(to: name, among: known.sorted()).map { " (did you mean \($0)?)" } ?? ""
    }
}
