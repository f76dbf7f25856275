import Logging
import NIOCore

/// One call's conversation with one agent: start, sound both ways, clear, marks, keys, the end, whatever the dialect.
///
/// It is the port and the leg of an agent reached by a WebSocket. Confined to the call's media loop.
final class AgentSession: AgentLeg, AgentTransportDelegate, AgentCommands {
    private enum State {
        case connecting(until: NIODeadline)
        case up
        /// `stop` was said; the agent gets a moment to close by itself.
        case stopping(until: NIODeadline)
        case over
    }

    struct Counters: Sendable {
        /// Frames of caller audio dropped because the agent does not read.
        var framesDropped = 0
        /// Messages the dialect could not make sense of.
        var misunderstood = 0
    }

    private(set) var counters = Counters()
    private let dialect: any AgentDialect
    private let transport: any AgentTransport
    private let info: AgentCallInfo
    private let logger: Logger
    private weak var events: (any AgentLegEvents)?

    private var state: State
    private var queue: PlayoutQueue
    private var accumulator: FrameAccumulator
    private let slot: SampleBuffer
    private var slots: Int64 = 0
    private var sent: Int64 = 0
    /// Owned until `stop`.
    private var sink: (any AudioSink)?
    private var now: NIODeadline

    /// A caller waits no longer than this for an agent before the next step is tried (CONTRACT section 4).
    static let connectLimit = TimeAmount.seconds(3)
    /// `stop` before Close: a Python backend was overtaken by an immediate Close (AGENT-PROTOCOLS section 3).
    static let closeDelay = TimeAmount.milliseconds(250)

    init(
        dialect: any AgentDialect, transport: any AgentTransport, info: AgentCallInfo, events: any AgentLegEvents, logger: Logger,
        now: NIODeadline
    ) {
        self.dialect = dialect
        self.transport = transport
        self.info = info
        self.events = events
        self.logger = logger
        self.now = now
        state = .connecting(until: now + Self.connectLimit)
        queue = PlayoutQueue(rate: dialect.rate)
        accumulator = FrameAccumulator(frameSamples: queue.slotSamples)
        slot = SampleBuffer(capacity: queue.slotSamples)
    }

    // MARK: Leg

    func dial() { transport.open(delegate: self) }

    var deadline: NIODeadline? {
        switch state {
        case .connecting(let until), .stopping(let until): until
        case .up, .over: nil
        }
    }

    func expire(now: NIODeadline) {
        guard let deadline, deadline <= now else { return }
        switch state {
        case .connecting:
            state = .over
            transport.close(code: 1001)
            events?.agentFailed(CallEnd(.agentUnavailable, detail: "The agent did not answer within 3 seconds."))
        case .stopping:
            state = .over
            transport.close(code: 1000)
        case .up, .over: break
        }
    }

    func tick(slots missed: Int, now: NIODeadline) {
        self.now = now
        guard let sink, case .up = state else { return }
        slots += Int64(missed)
        let frame = slot.samples
        let result = queue.next(into: frame, now: now)
        let time = slots * Int64(frame.count)
        slots += 1
        sink.receive(
            AudioFrame(samples: frame, mediaTime: time, origin: result.isPlaying ? .received : .filler, startsAxis: false),
            from: self, now: now)
        for name in result.marks { dialect.mark(name, to: transport) }
    }

    func hangUp(_ end: CallEnd, now: NIODeadline) {
        stop()
        switch state {
        case .connecting:
            state = .over
            transport.close(code: 1000)
        case .up:
            state = .stopping(until: now + Self.closeDelay)
            dialect.stop(end, to: transport)
        case .stopping, .over: break
        }
    }

    var isOver: Bool { if case .over = state { true } else { false } }
    var queuedMilliseconds: Int { queue.queuedMilliseconds }
    var playout: PlayoutQueue.Counters { queue.counters }

    // MARK: AudioPort

    var nativeRates: [Int] { [dialect.rate] }
    var resamples: Bool { false }
    var wantsGapFreeStream: Bool { true }
    var pathDescription: String { "agent \(dialect.rate) Hz [playout queue, 20 ms grid]" }

    func start(rate: Int, gapFree: Bool, sink: any AudioSink, now: NIODeadline) {
        self.sink = sink
        self.now = now
    }

    func stop() { sink = nil }

    func send(_ frame: borrowing AudioFrame, now: NIODeadline) {
        guard case .up = state else { return }
        accumulator.append(frame.samples, mediaTime: frame.mediaTime) { samples, _ in
            if transport.isWritable {
                dialect.audio(UnsafeBufferPointer(samples), position: sent, to: transport)
            } else {
                counters.framesDropped += 1
            }
            sent += Int64(samples.count)
        }
    }

    func send(digit: Digit, duration: Int, now: NIODeadline) {
        guard case .up = state else { return }
        dialect.digit(digit, to: transport)
    }

    // MARK: AgentTransportDelegate

    func transportOpened(now: NIODeadline) {
        guard case .connecting = state else { return }
        self.now = now
        state = .up
        dialect.opening(info, to: transport)
        events?.agentAnswered()
    }

    func transportReceived(text: ByteBuffer, now: NIODeadline) {
        guard case .up = state else { return }
        self.now = now
        dialect.receive(text, for: self)
    }

    func transportReceived(binary: ByteBuffer, now: NIODeadline) {
        guard case .up = state else { return }
        self.now = now
        dialect.receive(binary: binary, for: self)
    }

    func transportClosed(code: UInt16?, reason: String, now: NIODeadline) {
        let last = state
        state = .over
        switch last {
        case .connecting:
            events?.agentFailed(CallEnd(.agentUnavailable, detail: "The agent could not be reached: \(reason)."))
        case .up where code == 1000 || code == 1005:
            events?.agentEnded(CallEnd(.agentHangup))
        case .up:
            events?.agentLost(CallEnd(.agentLost, detail: "The connection to the agent broke: \(reason)."))
        case .stopping, .over: break
        }
        events?.agentReleased()
    }

    // MARK: AgentCommands

    func play(_ count: Int, write: (UnsafeMutableBufferPointer<Int16>) -> Void) {
        queue.append(count, now: now, write: write)
    }

    func mark(_ name: String) {
        if !queue.mark(name) { dialect.mark(name, to: transport) }
    }

    func clear() {
        dialect.cleared(queue.clear().marks, to: transport)
    }

    func misunderstood(_ what: @autoclosure () -> String) {
        counters.misunderstood += 1
        if counters.misunderstood == 1 { logger.warning("agent message ignored: \(what())") }
    }
}
