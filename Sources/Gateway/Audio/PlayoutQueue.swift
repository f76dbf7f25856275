import NIOCore
import Transcode

/// Agent speech on its way to the caller: bursts of any size in, one 20 ms frame out on every slot of the playout grid
/// (ARCHITECTURE 4a.5).
///
/// From empty, playout begins when the hold is filled or has passed since the first sample; the hold grows with underruns
/// inside an utterance and shrinks without. `clear` leaves a 2 ms ramp and silence. Marks fire when their last sample has
/// been handed over.
struct PlayoutQueue {
    /// What one slot yields besides its samples.
    struct Slot {
        /// False while the frame is silence because nothing is queued.
        var isPlaying: Bool
        /// Names of the marks whose last sample lies in this frame or before it.
        var marks: [String]
        /// All that sounds in the frame is the fading end of what was cleared.
        var isCut = false
    }

    struct Counters: Equatable, Sendable {
        /// Breaks inside an utterance: the queue ran empty and sound came again within 500 ms.
        var gaps = 0
        /// Samples that were thrown away because the queue was full.
        var overflowed = 0
        /// Quiet samples dropped to bring a standing queue down.
        var shortened = 0
    }

    /// Samples a second.
    let rate: Int
    private(set) var counters = Counters()

    private enum State {
        case empty
        /// Sound is there and is held back until enough is there.
        case filling(since: NIODeadline)
        case playing
        /// Ran empty while playing, at this time; sound again within 500 ms makes it a gap.
        case underrun(at: NIODeadline)
    }

    private var state = State.empty
    private var ring: SampleRing
    /// Samples handed to the caller's leg since the start, or passed over because they were quiet; with `ring.count` the axis of the marks.
    private(set) var played: Int64 = 0
    private var marks: [(name: String, position: Int64)] = []
    private var hold: PlayoutHold
    private var backlog: PlayoutBacklog
    private var fade: PlayoutFade
    private var tail: PlayoutTail

    /// Milliseconds of one slot.
    static let slotMilliseconds = 20
    /// Ten minutes: what Twilio queues before it discards (its warning 31931).
    static let longestQueueSeconds = 600
    /// Marks waiting at once; more are echoed at once, so that a broken agent cannot grow the list for ever.
    static let mostMarks = 10_000

    /// - Parameter holds: false for agents in the process, which need no hold.
    init(rate: Int, holds: Bool = true) {
        self.rate = rate
        ring = SampleRing(limit: rate * Self.longestQueueSeconds)
        hold = PlayoutHold(enabled: holds)
        backlog = PlayoutBacklog(rate: rate)
        fade = PlayoutFade(rate: rate)
        tail = PlayoutTail(samples: rate / 1000 * Self.slotMilliseconds)
    }

    /// Samples in one slot.
    var slotSamples: Int { rate / 1000 * Self.slotMilliseconds }
    /// Samples waiting.
    var queued: Int { ring.count }
    /// Milliseconds waiting.
    var queuedMilliseconds: Int { queued * 1000 / rate }
    var pendingMarks: Int { marks.count }

    /// Room for `count` more samples at the end of the queue, to be filled by `write`; fewer when the queue is full.
    mutating func append(_ count: Int, now: NIODeadline, write: (UnsafeMutableBufferPointer<Int16>) -> Void) {
        guard count > 0 else { return }
        let taken = ring.append(count, write: write)
        counters.overflowed += count - taken
        backlog.arrived(taken)
        switch state {
        case .empty: state = .filling(since: now)
        case .underrun(let start):
            if now - start <= PlayoutHold.longestGap {
                counters.gaps += 1
                hold.underran(now: now)
            }
            state = .filling(since: now)
        case .filling, .playing: break
        }
    }

    /// Sets a mark behind everything queued.
    /// - Returns: false when the mark is due at once: nothing is queued, or too many are waiting.
    mutating func mark(_ name: String) -> Bool {
        guard queued > 0, marks.count < Self.mostMarks else { return false }
        marks.append((name, played + Int64(queued)))
        return true
    }

    /// Drops everything queued; what was to be heard next fades out within 2 ms.
    /// - Parameter fades: false where nothing is heard already, so that there is nothing to fade
    /// - Returns: the marks that were waiting, in order, and the samples dropped.
    mutating func clear(fades: Bool = true) -> (marks: [String], dropped: Int) {
        let dropped = queued
        let names = marks.map(\.name)
        marks.removeAll()
        if case .playing = state, fades { fade.take(from: ring) }
        ring.removeLast(ring.count)
        ring.shrink()
        state = .empty
        backlog.reset()
        tail.reset()
        return (names, dropped)
    }

    /// Drops what stands before `position`, where other speech begins that is to be heard.
    /// - Returns: the marks that were waiting before it, in order, and the samples dropped.
    mutating func clear(upTo position: Int64) -> (marks: [String], dropped: Int) {
        let dropped = Int(max(0, min(Int64(queued), position - played)))
        let names = marks.prefix { $0.position <= position }.map(\.name)
        marks.removeFirst(names.count)
        if case .playing = state, dropped > 0 { fade.take(from: ring) }
        ring.removeFirst(dropped)
        played += Int64(dropped)
        return (names, dropped)
    }

    /// One slot of the grid: fills `frame` (of `slotSamples`) and says what was in it.
    mutating func next(into frame: UnsafeMutableBufferPointer<Int16>, now: NIODeadline) -> Slot {
        var slot = speech(into: frame, now: now)
        if fade.isPending {
            fade.mix(into: frame)
            slot.isCut = !slot.isPlaying
            slot.isPlaying = true
        }
        return slot
    }

    private mutating func speech(into frame: UnsafeMutableBufferPointer<Int16>, now: NIODeadline) -> Slot {
        if case .filling(let since) = state, hold.isOver(queuedMilliseconds: queuedMilliseconds, since: since, now: now) {
            state = .playing
        }
        guard case .playing = state else {
            frame.update(repeating: 0)
            if case .underrun(let start) = state, now - start > PlayoutHold.longestGap { state = .empty }
            return Slot(isPlaying: false, marks: [])
        }
        hold.relax(now: now)
        shorten(scratch: frame, now: now)
        return play(into: frame, now: now)
    }

    private mutating func play(into frame: UnsafeMutableBufferPointer<Int16>, now: NIODeadline) -> Slot {
        let count = ring.read(into: frame)
        played += Int64(count)
        if count < frame.count {
            tail.conceal(frame, from: count)
            state = .underrun(at: now)
            ring.shrink()
        } else {
            tail.remember(frame)
        }
        return Slot(isPlaying: true, marks: dueMarks())
    }

    private mutating func dueMarks() -> [String] {
        guard let first = marks.first, first.position <= played else { return [] }
        let due = marks.prefix { $0.position <= played }.map(\.name)
        marks.removeFirst(due.count)
        return due
    }

    /// Drops quiet frames from the head while a standing queue is to be brought down.
    private mutating func shorten(scratch: UnsafeMutableBufferPointer<Int16>, now: NIODeadline) {
        backlog.observe(queued: queued, holdMilliseconds: hold.milliseconds, now: now)
        guard backlog.isExcessive, marks.isEmpty, ring.count >= 2 * slotSamples else { return }
        let head = ring.peek(into: scratch)
        guard head == slotSamples, Level.dBFS(UnsafeBufferPointer(scratch)) < PlayoutBacklog.quietLevel else { return }
        ring.removeFirst(slotSamples)
        played += Int64(slotSamples)
        counters.shortened += slotSamples
    }
}
