import Dialplan

extension ConfigurationLoader {
    /// Names that a dial plan's `via` gives another meaning.
    private static let reservedNames: Set<String> = ["browser", "api"]

    func readTrunks(_ configuration: MappingReader) -> [Trunk] {
        var blocks: [CIDR: String] = [:]
        return (configuration.entries("trunks") ?? []).map { entry in
            checkName(entry, "trunk")
            if Self.reservedNames.contains(entry.key) {
                problems.error("a trunk cannot be called \(entry.key): dial plans mean something else by it", line: entry.line, column: entry.column)
            }
            return readTrunk(entry, &blocks)
        }
    }

    private func readTrunk(_ entry: YAMLNode.Entry, _ blocks: inout [CIDR: String]) -> Trunk {
        let reader = MappingReader(entry.value, "trunk \(entry.key)", problems)
        var trunk = Trunk(name: entry.key)
        readAddresses(reader, &trunk, entry, &blocks)
        readCredentials(reader, &trunk)
        readMedia(reader, &trunk)
        if let country = reader.take("country"), let text = reader.text(of: country, "country") {
            if let number = Decimal.integer(text), (1...999).contains(number) {
                trunk.country = text
            } else {
                problems.error("country must be a country code such as \"1\" or \"44\", not \(country.quoted)", at: country)
            }
        }
        trunk.maxCalls = reader.integer("max_calls", in: 1...1_000_000) ?? trunk.maxCalls
        trunk.maxCallsPerSecond = reader.integer("max_calls_per_second", in: 1...100_000) ?? trunk.maxCallsPerSecond
        reader.finish()
        return trunk
    }

    private func readAddresses(_ reader: MappingReader, _ trunk: inout Trunk, _ entry: YAMLNode.Entry, _ blocks: inout [CIDR: String]) {
        var accepted: [(block: CIDR, node: YAMLNode)] = []
        let hostNodes = reader.list("hosts") ?? []
        let hosts = hostNodes.compactMap { node in readHost(node, reader).map { (host: $0, node: node) } }
        trunk.hosts = hosts.map(\.host)
        if let nodes = reader.list("accept_from") {
            accepted = nodes.compactMap { node in readBlock(node, reader).map { ($0, node) } }
        } else {
            for (host, node) in hosts {
                if let address = host.address {
                    accepted.append((CIDR(address, text: host.host), node))
                } else {
                    Unbuilt.hostNames.report(at: node, problems)
                }
            }
            if hostNodes.isEmpty {
                problems.warning(
                    "trunk \(entry.key) has neither hosts nor accept_from: no call can come or go", at: entry.value)
            }
        }
        for (block, node) in accepted {
            if let other = blocks[block] {
                // The same host twice, on two ports, is one address that calls in.
                if other == trunk.name, reader.node.entry("accept_from") == nil { continue }
                problems.error("\(block) already belongs to trunk \(other): equal prefixes leave it open whose call it is", at: node)
                continue
            }
            blocks[block] = trunk.name
            trunk.acceptFrom.append(block)
        }
    }

    private func readHost(_ node: YAMLNode, _ reader: MappingReader) -> TrunkHost? {
        guard let text = reader.text(of: node, "hosts") else { return nil }
        guard let host = TrunkHost(text) else {
            problems.error("a host must be like sip:198.51.100.7:5060;transport=udp, not \(node.quoted)", at: node)
            return nil
        }
        return host
    }

    private func readBlock(_ node: YAMLNode, _ reader: MappingReader) -> CIDR? {
        guard let text = reader.text(of: node, "accept_from") else { return nil }
        do {
            let block = try CIDR(text)
            if block.isEverything {
                problems.warning("accept_from \(block) lets everybody who reaches the SIP port call in as \(reader.name)", at: node)
            }
            return block
        } catch {
            problems.error("accept_from \(node.quoted) \(error.reason)", at: node)
            return nil
        }
    }

    private func readCredentials(_ reader: MappingReader, _ trunk: inout Trunk) {
        let username = reader.take("username")
        trunk.username = username.flatMap { reader.text(of: $0, "username") }
        trunk.password = reader.secret("password", besides: file)
        trunk.register = reader.flag("register") ?? trunk.register
        if trunk.register, let node = reader.node.entry("register") {
            if trunk.hosts.isEmpty { problems.error("register needs hosts to register with", at: node) }
            if username == nil { problems.error("register needs a username", at: node) }
            Unbuilt.register.report(at: node, problems)
        }
        trunk.inboundAuth = reader.flag("inbound_auth") ?? trunk.inboundAuth
        if trunk.inboundAuth, let node = reader.node.entry("inbound_auth") { Unbuilt.inboundAuth.report(at: node, problems) }
    }

    private func readMedia(_ reader: MappingReader, _ trunk: inout Trunk) {
        if let nodes = reader.list("codecs") {
            var isSound = true
            trunk.codecs = readCodecs(nodes, reader, &isSound)
            if isSound, trunk.codecs.isEmpty { problems.error("codecs needs at least one", at: reader.node.entry("codecs") ?? reader.node) }
        }
        trunk.dtmf = reader.word("dtmf", Trunk.DTMF.self) ?? trunk.dtmf
        trunk.srtp = reader.word("srtp", Trunk.SRTP.self) ?? trunk.srtp
        if let node = reader.node.entry("srtp") {
            if trunk.srtp == .required { Unbuilt.requiredSRTP.report(at: node, problems) }
            if trunk.srtp == .optional { Unbuilt.optionalSRTP.report(at: node, problems) }
        }
        trunk.echo = reader.word("echo", Trunk.Echo.self) ?? trunk.echo
        trunk.agc = reader.word("agc", Configuration.AGC.self) ?? trunk.agc
    }

    private func readCodecs(_ nodes: [YAMLNode], _ reader: MappingReader, _ isSound: inout Bool) -> [Trunk.Codec] {
        var codecs: [Trunk.Codec] = []
        for node in nodes {
            guard let text = reader.text(of: node, "codecs") else {
                isSound = false
                continue
            }
            guard let codec = Trunk.Codec.allCases.first(where: { $0.rawValue.lowercased() == text.lowercased() }) else {
                isSound = false
                problems.error("a codec must be \(MappingReader.either(Trunk.Codec.allCases.map(\.rawValue))), not \(node.quoted)", at: node)
                continue
            }
            guard !codecs.contains(codec) else {
                problems.error("\(codec.rawValue) is listed twice", at: node)
                continue
            }
            codecs.append(codec)
        }
        return codecs
    }

    /// Names of trunks and agents end up in addresses, logs and metrics.
    func checkName(_ entry: YAMLNode.Entry, _ kind: String) {
        let isValid = (1...64).contains(entry.key.utf8.count) && entry.key.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || "-_.".utf8.contains(byte)
        }
        if !isValid {
            let article = kind == "agent" ? "an" : "a"
            problems.error(
                "the name of \(article) \(kind) must be 1 to 64 letters, digits, dots, - or _, not \(YAMLNode.quote(entry.key))",
                line: entry.line, column: entry.column)
        }
    }
}
