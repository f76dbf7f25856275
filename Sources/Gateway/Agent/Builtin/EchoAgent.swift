import NIOCore

/// The built-in agent `echo`: every caller frame comes straight back, as it arrives.
final class EchoAgent: AgentLeg {
    private weak var events: (any AgentLegEvents)?
    private weak var sink: (any AudioSink)?
    private(set) var isOver = false

    init(events: any AgentLegEvents) {
        self.events = events
    }

    func dial() { events?.agentAnswered() }
    func tick(slots missed: Int, now: NIODeadline) {}
    func expire(now: NIODeadline) {}
    var deadline: NIODeadline? { nil }
    var queuedMilliseconds: Int { 0 }
    var playout: PlayoutQueue.Counters { PlayoutQueue.Counters() }

    func hangUp(_ end: CallEnd, now: NIODeadline) {
        stop()
        isOver = true
    }

    var nativeRates: [Int] { [16000, 8000] }
    var wantsGapFreeStream: Bool { false }
    var pathDescription: String { "echo" }

    func start(rate: Int, gapFree: Bool, sink: any AudioSink, now: NIODeadline) { self.sink = sink }
    func stop() { sink = nil }
    func send(_ frame: borrowing AudioFrame, now: NIODeadline) { sink?.receive(frame, from: self, now: now) }
    func send(digit: Digit, duration: Int, now: NIODeadline) { sink?.receive(digit: digit, from: self, now: now) }
}
