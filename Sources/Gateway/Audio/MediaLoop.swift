import Logging
import NIOCore
import RTCStack
import RTP
import SDP
import SIPStack

/// One event loop's media: its sockets, its leg table, its calls and their grid.
///
/// `turn` does everything: it drains the sockets, moves what came, expires deadlines, plays out the calls whose phase is due and
/// sends the batch. Who calls it, every millisecond, is `MediaLoopDriver`; in tests it is virtual time.
final class MediaLoop: DatagramReceiver {
    let index: Int
    let environment: MediaEnvironment
    let table = LegTable()
    var counters = MediaLoopCounters()
    /// The time of the present turn.
    private(set) var now: NIODeadline

    private(set) var calls: [CallID: MediaCall] = [:]
    private var phases: [[MediaCall]]
    private var nextPhase: NIODeadline
    private var phase = 0
    private var waiting: [MediaCall] = []
    /// No call has a deadline before this: so the calls are not asked every millisecond, which showed as a tenth of all the time.
    private var earliest = NIODeadline.distantFuture
    var load = LoopLoad()
    /// Told when the loop gets full or has room again, on this loop.
    var overloadChanged: (Bool) -> Void = { _ in }
    private var lastTurn: NIODeadline
    /// In the first turn after a stall.
    private(set) var isAfterStall = false
    private let sink: (CallID, MediaEvent) -> Void

    /// The grid has a phase every millisecond, so that the calls' slots are spread.
    private static let phaseLength = TimeAmount.milliseconds(1)
    private static let phaseCount = PlayoutQueue.slotMilliseconds

    /// - Parameter sink: hears every event, in order, on this loop.
    init(index: Int, environment: MediaEnvironment, now: NIODeadline, sink: @escaping (CallID, MediaEvent) -> Void) {
        self.index = index
        self.environment = environment
        self.now = now
        self.sink = sink
        nextPhase = now
        lastTurn = now
        phases = Array(repeating: [], count: Self.phaseCount)
    }

    // MARK: Calls

    /// A new call's place; its grid takes the phase with the fewest calls.
    func makeCall(_ id: CallID, now: NIODeadline, logger: Logger) -> MediaCall {
        self.now = now
        // The loop may have idled since the last slot: the grid of a first call begins now.
        if calls.isEmpty { nextPhase = max(nextPhase, now) }
        let chosen = phases.indices.min { phases[$0].count < phases[$1].count } ?? 0
        let distance = (chosen - phase + Self.phaseCount) % Self.phaseCount
        let first = nextPhase + Self.phaseLength * distance
        let call = MediaCall(id: id, loop: self, firstSlot: first, logger: logger)
        calls[id] = call
        expects(now)
        phases[chosen].append(call)
        return call
    }

    func release(_ call: MediaCall) {
        guard calls.removeValue(forKey: call.id) != nil else { return }
        for index in phases.indices { phases[index].removeAll { $0 === call } }
        counters.finished.add(call.figures.caller)
        if let callee = call.figures.callee { counters.finished.add(callee) }
        counters.playoutGaps += call.figures.playoutGaps
        counters.turns.add(call.figures.turns)
        sink(call.id, .released(call.figures))
    }

    func report(_ event: MediaEvent, of call: MediaCall) { sink(call.id, event) }

    /// Lets a call look after itself once the present work is done.
    func afterTurn(_ call: MediaCall) { waiting.append(call) }

    /// Does something for a call outside of a turn, as the switchboard wants it: sends what follows from it at once.
    func perform(on id: CallID, now: NIODeadline, _ body: (MediaCall) -> Void) {
        self.now = now
        guard let call = calls[id] else { return }
        body(call)
        expects(now)
        settle()
        environment.io.flush()
    }

    /// A call has, or may have, a deadline at this time. Packets and what the switchboard asks for can bring an earlier one; for
    /// anything else it is heard of at the call's next slot.
    func expects(_ deadline: NIODeadline?) {
        if let deadline, deadline < earliest { earliest = deadline }
    }

    /// Before this a turn has nothing to do but to read what came.
    var nextDue: NIODeadline {
        guard waiting.isEmpty else { return now }
        let distance = phases.indices.first { !phases[(phase + $0) % Self.phaseCount].isEmpty } ?? Self.phaseCount
        return min(earliest, nextPhase + Self.phaseLength * distance)
    }

    // MARK: A turn

    func turn(now: NIODeadline) {
        self.now = now
        isAfterStall = now - lastTurn > Self.stallLimit
        lastTurn = now
        environment.io.poll(into: self)
        // What came goes on before anything is encoded that is only due.
        environment.io.flush()
        isAfterStall = false
        expire(now: now)
        playOut(now: now)
        settle()
        environment.io.flush()
        judgeLoad()
    }

    private func expire(now: NIODeadline) {
        guard earliest <= now else { return }
        earliest = .distantFuture
        for call in calls.values {
            var deadline = call.deadline
            if let due = deadline, due <= now {
                call.expire(now: now)
                deadline = call.deadline
            }
            expects(deadline)
        }
    }

    private func playOut(now: NIODeadline) {
        guard nextPhase <= now else { return }
        if now - nextPhase > MediaCall.slot {
            // A whole round was missed: every call is due once, and makes up for itself.
            let missed = (now - nextPhase).nanoseconds / Self.phaseLength.nanoseconds
            nextPhase = nextPhase + Self.phaseLength * Int(missed)
            phase = (phase + Int(missed)) % Self.phaseCount
            for phase in phases { play(phase, now: now) }
        }
        while nextPhase <= now {
            play(phases[phase], now: now)
            phase = (phase + 1) % Self.phaseCount
            nextPhase = nextPhase + Self.phaseLength
        }
    }

    private func play(_ due: [MediaCall], now: NIODeadline) {
        guard !due.isEmpty else { return }
        let wallClock = environment.wallClock()
        for call in due { call.tick(now: now, wallClock: wallClock) }
    }

    private func settle() {
        guard !waiting.isEmpty else { return }
        let list = waiting
        waiting = []
        for call in list { call.sweep() }
    }

    // MARK: DatagramReceiver

    func receive(_ datagram: UnsafeMutableRawBufferPointer, on socket: MediaSocket, from source: TransportAddress) {
        if isBacklog(datagram) { return }
        switch socket {
        case .browser:
            guard let (leg, isKnown) = table.browser(for: UnsafeRawBufferPointer(datagram), from: source) else { return }
            leg.receive(datagram, from: source, now: now)
            expects(leg.deadline)
            if !isKnown, leg.owns(source) { table.learn(source, of: leg) }
        case .trunk(let descriptor):
            guard let (leg, isControl) = table.trunk(on: descriptor) else { return }
            if isControl {
                leg.receiveControl(datagram, from: source, now: now)
            } else {
                leg.receive(datagram, from: source, now: now)
            }
            expects(leg.deadline)
        }
    }
}

/// What is counted of a media loop since its start.
struct MediaLoopCounters: Sendable {
    /// Slots of the playout grid that were played more than 5 ms late.
    var lateTicks = 0
    /// Slots that were never played because the loop stalled.
    var skippedSlots = 0
    /// RTP packets dropped unheard because they waited while the loop stalled.
    var backlogDropped = 0
    /// Breaks in agents' speech, of calls that are over.
    var playoutGaps = 0
    /// Of the agents of calls that are over.
    var turns = TurnMeter.Figures()
    /// Sums of the calls that are over.
    var finished = LegFigures()
}

extension LegFigures {
    mutating func add(_ other: LegFigures) {
        rtp.packetsReceived += other.rtp.packetsReceived
        rtp.packetsSent += other.rtp.packetsSent
        rtp.octetsReceived += other.rtp.octetsReceived
        rtp.octetsSent += other.rtp.octetsSent
        rtp.lost += other.rtp.lost
        rtp.late += other.rtp.late
        rtp.duplicates += other.rtp.duplicates
        rtp.retransmitted += other.rtp.retransmitted
        rtp.resent += other.rtp.resent
        rtp.transportReports += other.rtp.transportReports
        rtp.transportReportsSent += other.rtp.transportReportsSent
        rtp.reordered += other.rtp.reordered
        rtp.malformed += other.rtp.malformed
        inbound.add(other.inbound)
        forged += other.forged
        malformed += other.malformed
    }
}
