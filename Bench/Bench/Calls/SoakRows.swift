import Foundation

/// One gateway under calls that come and go for as long as is wanted (`make soak`): what it loses, and what it keeps.
struct SoakRows {
    static let argument = "soak"
    private static let callCount = 20
    /// Of the calls of one kind.
    private static let seconds: Int64 = 10
    /// What the first rounds bring is no growth: pools and caches fill.
    private static let warmUp = 3
    /// SIP may repeat its requests for so long, and the gateway remembers its answers (RFC 3261, timers H and J).
    private static let settling: UInt32 = 40
    /// MB that a process may have more at the end than after the first rounds.
    private static let mostGrowth = 2.0
    /// Percent.
    private static let mostLost = 0.1

    let rows: CallRows
    let minutes: Double

    func run() throws {
        let agent = try EchoAgent(folder: rows.folder)
        let socket = try LoadSocket()
        let gateway = try TandemProcess(
            ends: TandemGateway.trunk(carrierPort: socket.port) + TandemAgentGateway.trunk + TandemAgentGateway.agents(port: agent.port)
                + "limits: { drain_seconds: 1, \(TandemGateway.limits) }\n",
            routes: "routes:\n" + TandemGateway.route + TandemAgentGateway.routes(probes: rows.material.probes), folder: rows.folder)
        print("soak: \(Self.callCount) calls at once, in turn browser ↔ trunk, browser ↔ agent, phone ↔ agent, \(Self.seconds) s each, for \(minutes) minutes")
        print("  minute     calls   lost     MB   descriptors")
        let start = Date()
        var (calls, sent, lost, rounds) = (0, 0, 0, 0)
        var first: (memory: Double, descriptors: Int)?
        while rounds <= Self.warmUp || Date().timeIntervalSince(start) < minutes * 60 {
            for figures in try round(gateway, socket) {
                calls += Self.callCount
                sent += figures.sent
                lost += figures.lost
            }
            rounds += 1
            if rounds == Self.warmUp {
                sleep(Self.settling)
                first = try state(gateway)
            }
            try show(since: start, calls, 100 * Double(lost) / Double(max(1, sent)), gateway)
        }
        sleep(Self.settling)
        try judge(first, try state(gateway), lost: 100 * Double(lost) / Double(max(1, sent)), gateway)
    }

    private func round(_ gateway: TandemProcess, _ socket: LoadSocket) throws -> [CallFigures] {
        let subjects: [() throws -> any CallSubject] = [
            {
                try TandemGateway(
                    calls: Self.callCount, material: rows.material, certificate: rows.certificate, gateway: gateway, carrierSocket: socket)
            },
            { try agentCalls(gateway, isBrowser: true) }, { try agentCalls(gateway, isBrowser: false) },
        ]
        return try subjects.map { try CallLoad(subject: try $0(), seconds: Self.seconds).run() }
    }

    private func agentCalls(_ gateway: TandemProcess, isBrowser: Bool) throws -> TandemAgentGateway {
        try TandemAgentGateway(
            calls: Self.callCount, isBrowser: isBrowser, material: rows.material, certificate: rows.certificate, gateway: gateway)
    }

    private func state(_ gateway: TandemProcess) throws -> (memory: Double, descriptors: Int) {
        (try gateway.measured.anonymousMemory() / 1024, try gateway.measured.descriptors())
    }

    private func show(since start: Date, _ calls: Int, _ lost: Double, _ gateway: TandemProcess) throws {
        let (memory, descriptors) = try state(gateway)
        print(String(format: "  %6.1f %9d %5.3f%% %6.1f %13d", Date().timeIntervalSince(start) / 60, calls, lost, memory, descriptors))
        fflush(nil)
    }

    private func judge(_ first: (memory: Double, descriptors: Int)?, _ last: (memory: Double, descriptors: Int), lost: Double, _ gateway: TandemProcess) throws {
        guard let first else { throw BenchFailure("no round was whole") }
        print(String(format: "  without calls: %.1f MB and %d descriptors after %d rounds, %.1f MB and %d at the end", first.memory, first.descriptors, Self.warmUp, last.memory, last.descriptors))
        if last.memory - first.memory > Self.mostGrowth { throw gateway.measured.failure("it keeps memory of calls that are over") }
        if last.descriptors > first.descriptors { throw gateway.measured.failure("it keeps descriptors of calls that are over") }
        if lost > Self.mostLost { throw gateway.measured.failure(String(format: "%.3f %% of the packets were lost", lost)) }
    }
}
