import CBench

/// What the agent noted, put beside what left and reached its callers. In milliseconds.
struct AgentDelays {
    /// From the caller's packet with the beginning of a marker to its arrival, less the encoder's own delay.
    private(set) var toAgent: [Double] = []
    /// From the agent's burst of tone to its first sample on the wire.
    private(set) var toCaller: [Double] = []
    /// From `clear` to the end of the last loud sample on the wire.
    private(set) var toSilence: [Double] = []
    private static let longest: Int64 = 1_000_000_000

    mutating func add(_ event: bench_agent_event, at ear: ProbeTransport, encoderDelay: Double) {
        switch event.kind {
        case Int32(BENCH_AGENT_HEARD):
            guard let mark = ear.marks.last(where: { $0 <= event.time }), event.time - mark < Self.longest else { return }
            toAgent.append(Double(event.time - mark) / 1e6 - encoderDelay)
        case Int32(BENCH_AGENT_SPOKE):
            append(ear.onsets.first { $0 >= event.time }, since: event.time, to: &toCaller)
        default:
            append(ear.ends.first { $0 >= event.time }, since: event.time, to: &toSilence)
        }
    }

    private func append(_ moment: Int64?, since start: Int64, to delays: inout [Double]) {
        guard let moment, moment - start < Self.longest else { return }
        delays.append(Double(moment - start) / 1e6)
    }
}
