import Foundation
import RTCStack

/// Whole calls through whole gateways: the same load through one after the other.
struct CallRows {
    /// What is at the two ends of the calls of a table.
    enum Kind: CaseIterable {
        case browserAndTrunk, phoneAndAgent, browserAndAgent

        var title: String {
            switch self {
            case .browserAndTrunk: "calls, browser ↔ trunk"
            case .phoneAndAgent: "calls, phone ↔ agent"
            case .browserAndAgent: "calls, browser ↔ agent"
            }
        }

        var ends: String { String(title.dropFirst("calls, ".count)) }

        var description: String {
            switch self {
            case .browserAndTrunk: "Opus over ICE, DTLS and SRTP (GCM) ↔ PCMU"
            case .phoneAndAgent: "PCMU ↔ an echoing WebSocket agent (Twilio messages)"
            case .browserAndAgent: "Opus over ICE, DTLS and SRTP (GCM) ↔ an echoing WebSocket agent (Twilio messages)"
            }
        }
    }

    private static let rounds = 7
    private static let seconds: Int64 = 3
    /// Of the windows without a bare loop beside them.
    private static let growthSeconds: Int64 = 5
    /// Few enough for rtpengine on half a core, enough for cold caches.
    static let usualCallCount = 20
    /// Calls of the row that shows how the cost grows with their number.
    private static let growth = (one: 1, few: 10, many: 200)

    private struct Result {
        let name: String
        var figures: [CallFigures] = []
        var ratios: [Double] = []
    }

    let folder: URL
    var material: CallMaterial
    let certificate: DTLSCertificate

    /// Prints the tables of these kinds.
    static func run(_ kinds: [Kind], callCount: Int, growth wantsGrowth: Bool, agentDelay wantsAgentDelay: Bool, overload wantsOverload: Bool, allocations wantsAllocations: Bool) throws {
        try prepared { rows in
            for kind in kinds { try rows.table(kind, callCount: callCount) }
            if wantsGrowth { try rows.growth() }
            if wantsAgentDelay { try AgentDelayRows(material: rows.material, certificate: rows.certificate, folder: rows.folder).run() }
            if wantsOverload { try rows.overload() }
            if wantsAllocations { try AllocationRows(material: rows.material, folder: rows.folder).run() }
        }
    }

    /// Hands `body` rows with a folder that lives as long.
    static func prepared(_ body: (CallRows) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tandem-bench-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let certificate: DTLSCertificate
        do {
            certificate = try DTLSCertificate()
        } catch {
            throw BenchFailure("no certificate: \(error)")
        }
        try body(CallRows(folder: folder, material: try CallMaterial(), certificate: certificate))
    }

    /// The agent of calls that have one.
    func agent(for kind: Kind) throws -> EchoAgent? { kind == .browserAndTrunk ? nil : try EchoAgent(folder: folder) }

    /// The first gateway of a round is what the others are divided by.
    func makers(_ kind: Kind, _ count: Int, _ agent: EchoAgent?) -> [() throws -> any CallSubject] {
        guard let agent else {
            var makers: [() throws -> any CallSubject] = [
                { try BareGateway(calls: count, material: material, folder: folder) },
                { try TandemGateway(calls: count, material: material, certificate: certificate, folder: folder) },
            ]
            if RTPEngine.isInstalled { makers.append { try RTPEngine(calls: count, material: material, certificate: certificate, folder: folder) } }
            return makers
        }
        let isBrowser = kind == .browserAndAgent
        return [
            { try BareAgentGateway(calls: count, isBrowser: isBrowser, agent: agent, material: material, folder: folder) },
            {
                try TandemAgentGateway(
                    calls: count, isBrowser: isBrowser, agentPort: agent.port, material: material, certificate: certificate, folder: folder)
            },
        ]
    }

    private func table(_ kind: Kind, callCount: Int) throws {
        print("\n\(kind.title): \(callCount) at once, \(kind.description), \(Self.rounds) rounds of \(Self.seconds) s")
        let agent = try agent(for: kind)
        var results: [Result] = []
        for _ in 0..<Self.rounds {
            var bare = Double.nan
            for (index, make) in makers(kind, callCount, agent).enumerated() {
                let subject = try make()
                let figures = try CallLoad(subject: subject, seconds: Self.seconds).run()
                if index == 0 { bare = figures.cpuPerCallSecond }
                if !results.indices.contains(index) { results.append(Result(name: subject.name)) }
                results[index].figures.append(figures)
                results[index].ratios.append(figures.cpuPerCallSecond / bare)
            }
        }
        show(results, kind)
    }

    private func show(_ results: [Result], _ kind: Kind) {
        print(CallTable.head)
        for result in results { print(CallTable.line(result.name, figures: result.figures, ratio: CallTable.median(result.ratios))) }
        if let least = results[1].ratios.min(), let most = results[1].ratios.max() {
            print(String(format: "  the ratio of %@ by rounds: %.2f to %.2f", results[1].name, least, most))
        }
        if results.count > 2 {
            let ratios = zip(results[2].ratios, results[1].ratios).map { $0 / $1 }
            print(String(format: "  %@ spends %.1f times the CPU time of %@ on a call", results[2].name, CallTable.median(ratios), results[1].name))
        } else if kind == .browserAndTrunk {
            print("  rtpengine is not installed, its row is missing: make bench-rivals installs it")
        }
        let late = results.flatMap(\.figures).reduce(0) { $0 + $1.late }
        let own = CallTable.median(results.flatMap(\.figures).map(\.ownCPUPerCallSecond))
        print(String(format: "  the load generator itself: %.1f CPU-ms per call-second; %d frames sent more than 5 ms late%@", own, late, late > 0 ? ", when the machine was busy: then delay is not the gateways' alone" : ""))
        fflush(nil)
    }

    /// How the cost of a call grows with the number of calls, less what the loop costs that carries them; and what nobody's calls cost.
    private func growth() throws {
        let agent = try EchoAgent(folder: folder)
        func gateway(_ count: Int) throws -> TandemAgentGateway {
            try TandemAgentGateway(
                calls: count, isBrowser: false, agentPort: agent.port, material: material, certificate: certificate, folder: folder)
        }
        func cpu(_ count: Int) throws -> Double {
            try CallLoad(subject: gateway(count), seconds: Self.growthSeconds).run().cpuPerCallSecond * Double(count)
        }
        let counts = Self.growth
        let idle = try Self.idlePercent(of: gateway(0).process)
        let (one, few, many) = (try cpu(counts.one), try cpu(counts.few), try cpu(counts.many))
        let each = (few: (few - one) / Double(counts.few - counts.one), many: (many - one) / Double(counts.many - counts.one))
        print("\n\(Self.growthTitle): phone ↔ agent, one window of \(Self.growthSeconds) s each")
        print(String(format: "  no call: %.2f %% of a core", idle))
        print(String(format: "  one call: %.1f %% of a core, its loop included, which wakes when something comes or is due", one / 10))
        print(String(format: "  each call more: %.2f CPU-ms per call-second up to %d, %.2f up to %d: %.2f times", each.few, counts.few, each.many, counts.many, each.many / each.few))
        fflush(nil)
    }

    /// - Returns: per cent of a core that a process without calls takes, once its start is over
    private static func idlePercent(of process: MeasuredProcess) throws -> Double {
        sleep(UInt32(growthSeconds))
        let before = try process.cpuTime()
        sleep(UInt32(growthSeconds))
        return (try process.cpuTime() - before) / 1e9 / Double(growthSeconds) * 100
    }

    private func overload() throws {
        // The first is the bare loop, which takes whatever comes. Tandem has one loop here, rtpengine a thread for each processor.
        let count = makers(.browserAndTrunk, 0, nil).count
        try OverloadRows(
            gateways: (1..<count).map { index in
                (index == 1 ? 1 : Double(ProcessInfo.processInfo.activeProcessorCount), { try makers(.browserAndTrunk, $0, nil)[index]() })
            }).run()
    }

    static let growthTitle = "calls, cost growth"
}
