import NIOCore

/// Stands for an agent whose dialect is not built yet (a warning when the configuration is loaded): it cannot be reached, so
/// that the route's next step runs.
final class UnbuiltAgent: AgentLeg {
    private weak var events: (any AgentLegEvents)?

    init(events: any AgentLegEvents) {
        self.events = events
    }

    func dial() { events?.agentFailed(CallEnd(.agentUnavailable, detail: "The agent's protocol is not built yet.")) }
    func tick(slots missed: Int, now: NIODeadline) {}
    func expire(now: NIODeadline) {}
    func hangUp(_ end: CallEnd, now: NIODeadline) {}
    var deadline: NIODeadline? { nil }
    var isOver: Bool { true }
    var queuedMilliseconds: Int { 0 }
    var playout: PlayoutQueue.Counters { PlayoutQueue.Counters() }
    var nativeRates: [Int] { [8000] }
    var wantsGapFreeStream: Bool { false }
    var pathDescription: String { "none" }
    func start(rate: Int, gapFree: Bool, sink: any AudioSink, now: NIODeadline) {}
    func stop() {}
    func send(_ frame: borrowing AudioFrame, now: NIODeadline) {}
    func send(digit: Digit, duration: Int, now: NIODeadline) {}
}
