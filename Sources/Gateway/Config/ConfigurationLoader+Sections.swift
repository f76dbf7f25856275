import Dialplan

extension ConfigurationLoader {
    func readHTTP(_ node: YAMLNode?) -> Configuration.HTTP {
        let reader = MappingReader(node, "http", problems)
        var http = Configuration.HTTP()
        if let listen = reader.listen("listen") { http.listen = listen.value }
        if let tls = reader.tls(besides: file) {
            http.tls = tls.value
            Unbuilt.httpTLS.report(at: tls.node, problems)
        }
        http.origins = (reader.list("origins") ?? []).compactMap { readOrigin($0, reader) }
        http.adminToken = reader.secret("admin_token", besides: file)
        reader.finish()
        return http
    }

    /// An origin as browsers send it (RFC 6454 6.2): scheme, host, and the port where it is not the scheme's own.
    private func readOrigin(_ node: YAMLNode, _ reader: MappingReader) -> String? {
        guard let text = reader.text(of: node, "an origin") else { return nil }
        let lowercased = text.lowercased()
        let scheme = ["https://", "http://"].first { lowercased.hasPrefix($0) }
        guard let scheme, let target = HostPort(lowercased.dropFirst(scheme.count), portRequired: false), target.port != 0 else {
            problems.error("an origin must be like https://shop.example, without a path, not \(node.quoted)", at: node)
            return nil
        }
        let isOwnPort = target.port == (scheme == "https://" ? 443 : 80)
        let host = target.host.contains(":") ? "[\(target.host)]" : target.host
        guard let port = target.port, !isOwnPort else { return scheme + host }
        return "\(scheme)\(host):\(port)"
    }

    func readBrowser(_ node: YAMLNode?) -> Configuration.Browser {
        let reader = MappingReader(node, "browser", problems)
        var browser = Configuration.Browser()
        if let listen = reader.listen("listen") { browser.listen = listen.value }
        if let addresses = reader.list("advertise") {
            let found = addresses.compactMap { reader.advertisedAddress($0, "advertise") }
            browser.advertise = addresses.isEmpty ? nil : found
        }
        if let auth = reader.take("auth") {
            let section = MappingReader(auth, "auth", problems)
            browser.jwtSecret = section.secret("jwt_secret", besides: file)
            section.finish()
            Unbuilt.browserAuth.report(at: auth, problems)
        }
        browser.turn = reader.take("turn").flatMap(readTurn)
        browser.agc = reader.word("agc", Configuration.AGC.self) ?? browser.agc
        reader.finish()
        return browser
    }

    private func readTurn(_ node: YAMLNode) -> Configuration.Turn? {
        let reader = MappingReader(node, "turn", problems)
        let nodes = reader.list("urls") ?? []
        let urls = nodes.compactMap { readTurnURL($0, reader) }
        let secret = reader.secret("secret", besides: file)
        let ttl = reader.integer("ttl_seconds", in: 60...604_800) ?? 3600
        reader.finish()
        guard case .mapping = node.content else { return nil }
        if nodes.isEmpty { problems.error("turn needs urls", at: node) }
        if secret == nil, node.entry("secret") == nil, urls.contains(where: { !$0.lowercased().hasPrefix("stun") }) {
            problems.error("turn needs the secret that the TURN server shares", at: node)
        }
        Unbuilt.turn.report(at: node, problems)
        return urls.isEmpty ? nil : Configuration.Turn(urls: urls, secret: secret, ttlSeconds: ttl)
    }

    /// RFC 7064 and 7065: `turn:host:port?transport=udp`.
    private func readTurnURL(_ node: YAMLNode, _ reader: MappingReader) -> String? {
        guard let text = reader.text(of: node, "a TURN URL") else { return nil }
        let lowercased = text.lowercased()
        let scheme = ["turn:", "turns:", "stun:", "stuns:"].first { lowercased.hasPrefix($0) }
        if let scheme {
            let parts = lowercased.dropFirst(scheme.count).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            let isTransport = parts.count < 2 || (scheme.hasPrefix("turn") && ["transport=udp", "transport=tcp"].contains(parts[1]))
            if isTransport, let target = HostPort(parts[0], portRequired: false), target.port != 0 { return text }
        }
        problems.error("a TURN URL must be like turn:turn.example:3478?transport=udp, not \(node.quoted)", at: node)
        return nil
    }

    func readSIP(_ node: YAMLNode?) -> Configuration.SIP {
        let reader = MappingReader(node, "sip", problems)
        var sip = Configuration.SIP()
        if let nodes = reader.list("listen") { sip.listen = readListeners(nodes, reader) }
        if let advertise = reader.take("advertise") { sip.advertise = reader.advertisedAddress(advertise, "advertise") }
        if let ports = reader.take("rtp_ports"), let text = reader.text(of: ports, "rtp_ports") {
            let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Decimal.integer(String($0)) }
            if ends.count == 2, let low = ends[0], let high = ends[1], low >= 1, high <= 65535, low < high {
                sip.rtpPorts = low...high
            } else {
                problems.error("rtp_ports must be a range of ports such as 20000-29999, not \(ports.quoted)", at: ports)
            }
        }
        if let tls = reader.tls(besides: file) {
            sip.tls = tls.value
            Unbuilt.sipTLS.report(at: tls.node, problems)
        }
        reader.finish()
        return sip
    }

    private func readListeners(_ nodes: [YAMLNode], _ reader: MappingReader) -> [Configuration.SIP.Listener] {
        var listeners: [Configuration.SIP.Listener] = []
        for node in nodes {
            guard let text = reader.text(of: node, "listen") else { continue }
            guard let listener = Configuration.SIP.Listener(text) else {
                problems.error("listen must be a list of addresses such as udp:127.0.0.1:5060, not \(node.quoted)", at: node)
                continue
            }
            if listener.address.port != 0, listeners.contains(listener) {
                problems.error("\(listener) is listed twice", at: node)
            }
            if listener.transport == .tls { Unbuilt.sipTLS.report(at: node, problems) }
            listeners.append(listener)
        }
        return listeners
    }

    func readMedia(_ node: YAMLNode?) -> Configuration.Media {
        let reader = MappingReader(node, "media", problems)
        var media = Configuration.Media()
        if let loops = reader.take("loops"), let text = reader.text(of: loops, "loops"), text != "auto" {
            if let count = Decimal.integer(text), (1...256).contains(count) {
                media.loops = count
            } else {
                problems.error("loops must be auto or 1 to 256, not \(loops.quoted)", at: loops)
            }
        }
        media.realtime = reader.flag("realtime") ?? media.realtime
        let opus = MappingReader(reader.take("opus"), "opus", problems)
        media.opus.trunk = readEncoding(opus.take("trunk"), "opus.trunk", media.opus.trunk)
        media.opus.agent = readEncoding(opus.take("agent"), "opus.agent", media.opus.agent)
        opus.finish()
        reader.finish()
        return media
    }

    private func readEncoding(_ node: YAMLNode?, _ name: String, _ standard: Configuration.OpusEncoding) -> Configuration.OpusEncoding {
        let reader = MappingReader(node, name, problems)
        defer { reader.finish() }
        return Configuration.OpusEncoding(
            bitrate: reader.integer("bitrate", in: 6000...510_000) ?? standard.bitrate,
            complexity: reader.integer("complexity", in: 0...10) ?? standard.complexity)
    }

    func readLimits(_ node: YAMLNode?) -> Configuration.Limits {
        let reader = MappingReader(node, "limits", problems)
        var limits = Configuration.Limits()
        limits.maxCalls = reader.integer("max_calls", in: 1...1_000_000) ?? limits.maxCalls
        limits.drainSeconds = reader.integer("drain_seconds", in: 0...86_400) ?? limits.drainSeconds
        let budget = MappingReader(reader.take("unauthenticated"), "unauthenticated", problems)
        limits.unauthenticated.paidCalls = budget.integer("paid_calls", in: 0...1_000_000) ?? limits.unauthenticated.paidCalls
        limits.unauthenticated.newDestinationsPerHour =
            budget.integer("new_destinations_per_hour", in: 0...1_000_000) ?? limits.unauthenticated.newDestinationsPerHour
        budget.finish()
        reader.finish()
        return limits
    }

    func readCalls(_ node: YAMLNode?) -> Configuration.Calls {
        let reader = MappingReader(node, "calls", problems)
        var calls = Configuration.Calls()
        calls.database = .sqlite(ConfigurationFile.resolve("../data/calls.db", besides: file))
        if let node = reader.take("database"), let text = reader.text(of: node, "database") {
            if text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") {
                calls.database = .postgres(text)
                Unbuilt.postgres.report(at: node, problems)
            } else if text.contains("://") {
                problems.error("database must be the path of a file or a postgres:// URL", at: node)
            } else {
                calls.database = .sqlite(ConfigurationFile.resolve(text, besides: file))
            }
        }
        calls.retentionDays = reader.integer("retention_days", in: 0...36_500) ?? calls.retentionDays
        reader.finish()
        return calls
    }

    func readLog(_ node: YAMLNode?) -> Configuration.Log {
        let reader = MappingReader(node, "log", problems)
        var log = Configuration.Log()
        log.level = reader.word("level", Configuration.Log.Level.self) ?? log.level
        log.format = reader.word("format", Configuration.Log.Format.self) ?? log.format
        reader.finish()
        return log
    }
}
