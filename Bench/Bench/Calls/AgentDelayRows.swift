import CBench
import Foundation
import RTCStack

/// How long sound takes from a caller to an agent and back, each way by itself, and how soon an agent that clears is silent.
struct AgentDelayRows {
    static let title = "calls, delay to an agent and back"
    private static let probes = 10
    private static let seconds: Int64 = 15
    /// About half of what one loop has time for.
    private static let counts = (phones: 100, browsers: 50)

    var material: CallMaterial
    let certificate: DTLSCertificate
    let folder: URL

    func run() throws {
        let port = bench_timed_agent_start()
        guard let port = UInt16(exactly: port) else { throw BenchFailure("the agent that keeps time does not start") }
        print("\n\(Self.title): \(Self.probes) calls measured among \(Self.counts.phones) phones, then \(Self.counts.browsers) browsers; \(Self.seconds) s each, ms: p50 / p99")
        print("                    caller to agent    agent to caller   clear to silence   measured")
        for isBrowser in [false, true] { try row(isBrowser: isBrowser, agentPort: port) }
        fflush(nil)
    }

    private func row(isBrowser: Bool, agentPort: UInt16) throws {
        var ears: [Int: ProbeTransport] = [:]
        let sound = isBrowser ? material.browser : material.phone
        var material = material
        material.probes = Self.probes
        material.wrap = { number, browser, phone in
            guard number < Self.probes, let ear = try? ProbeTransport(isBrowser ? browser : phone, sound: sound) else { return (browser, phone) }
            ears[number] = ear
            return (ear, ear)
        }
        let subject = try TandemAgentGateway(
            calls: isBrowser ? Self.counts.browsers : Self.counts.phones, isBrowser: isBrowser, agentPort: agentPort, material: material,
            certificate: certificate, folder: folder)
        // An agent's tone is no echo of what the caller says: figures of the calls themselves do not apply.
        _ = try CallLoad(subject: subject, seconds: Self.seconds).run()
        var delays = AgentDelays()
        for event in Self.events() { ears[Int(event.probe)].map { delays.add(event, at: $0, encoderDelay: sound.encoderDelay) } }
        let columns = [delays.toAgent, delays.toCaller, delays.toSilence].map { CallTable.delays($0) }
        print("  " + (isBrowser ? "browser" : "phone").padding(toLength: 13, withPad: " ", startingAt: 0) + columns.map { "     \($0)" }.joined() + "   \(delays.toAgent.count)")
        guard columns.allSatisfy({ !$0.hasSuffix("-") }) else { throw subject.process.failure("a delay was not seen at all") }
    }

    private static func events() -> [bench_agent_event] {
        var events = [bench_agent_event](repeating: bench_agent_event(), count: 1 << 14)
        let count = events.withUnsafeMutableBufferPointer { bench_timed_agent_events($0.baseAddress, Int32($0.count)) }
        return Array(events.prefix(Int(count)))
    }
}
