import NIOCore
import Transcode

/// Agent speech in Opus packets on its way to the caller: bursts of any size in, each packet out at its time on the 20 ms grid,
/// untouched. The counterpart of `PlayoutQueue` where nothing is decoded: a packet is handed over whole, so that what a position
/// means is exact to a packet.
///
/// Speech that ends, is cleared or frozen is followed by packets of silence, for a decoder that gets nothing makes up more of the
/// same. Then nothing is sent until there is speech again.
final class PacketPlayout {
    private(set) var counters = PlayoutQueue.Counters()
    /// Samples of 48 kHz handed over since the start; with `queued` the axis of the marks.
    private(set) var played: Int64 = 0

    private enum State {
        case empty
        /// Packets are there and are held back until enough are there.
        case filling(since: NIODeadline)
        case playing
        /// Ran empty while playing; packets again within 500 ms make it a gap.
        case underrun(at: NIODeadline)
    }

    private var state = State.empty
    private let ring = PacketRing(packets: PacketPlayout.kept, bytes: PacketPlayout.kept * PacketPlayout.usualSize)
    private var marks: [(name: String, position: Int64)] = []
    private var hold = PlayoutHold(enabled: true)
    private var backlog = PlayoutBacklog(rate: OpusClock.rate)
    /// Tells quiet packets from others while a standing queue is to be brought down; hears nothing else.
    private let ear = PacketSound(rate: 8000)
    /// Where on the grid's axis the next packet begins.
    private var due: Int64 = 0
    private var silenceLeft = 0

    /// Samples of a slot.
    static let slotSamples = OpusClock.rate / 1000 * PlayoutQueue.slotMilliseconds
    /// The largest packet taken, in bytes: what libopus makes at most, and what fits into a packet of RTP.
    static let largestPacket = 1275
    private static let kept = 256
    private static let usualSize = 128
    /// 20 ms of silence: one CELT frame of a full band without energy.
    private static let silentPacket: [UInt8] = [0xF8, 0xFF, 0xFE]
    /// As many as a decoder conceals at most.
    private static let silentPackets = 5
    private let silence: UnsafeMutableRawBufferPointer

    init() {
        silence = .allocate(byteCount: Self.silentPacket.count, alignment: 1)
        silence.copyBytes(from: Self.silentPacket)
    }

    deinit { silence.deallocate() }

    /// Samples of 48 kHz waiting.
    var queued: Int { ring.samples }
    var queuedMilliseconds: Int { queued * 1000 / OpusClock.rate }

    /// Queues a packet of so many samples.
    func append(_ payload: UnsafeRawBufferPointer, samples: Int, now: NIODeadline) {
        if !ring.append(payload, position: 0, samples: samples) {
            ring.grow()
            guard ring.append(payload, position: 0, samples: samples) else { return counters.overflowed += samples }
        }
        backlog.arrived(samples)
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
    /// - Returns: false when it is due at once.
    func mark(_ name: String) -> Bool {
        guard queued > 0, marks.count < PlayoutQueue.mostMarks else { return false }
        marks.append((name, played + Int64(queued)))
        return true
    }

    /// Drops everything queued.
    /// - Returns: the marks that were waiting, in order, and the samples dropped.
    func clear() -> (marks: [String], dropped: Int) {
        let dropped = queued
        let names = marks.map(\.name)
        marks.removeAll()
        ring.removeAll()
        state = .empty
        backlog.reset()
        return (names, dropped)
    }

    /// Drops the packets that begin before `position`, where other speech begins that is to be heard.
    func clear(upTo position: Int64) -> (marks: [String], dropped: Int) {
        let start = played
        while played < position, let packet = ring.first {
            played += Int64(packet.samples)
            ring.removeFirst()
        }
        let names = marks.prefix { $0.position <= played }.map(\.name)
        marks.removeFirst(names.count)
        return (names, Int(played - start))
    }

    /// One slot of the grid: hands over the packets that begin in it.
    /// - Parameters:
    ///   - slot: its number
    ///   - isHeld: nothing is to be heard, and nothing lost
    ///   - send: gets each packet, its length and its place on the grid's axis, both in samples of 48 kHz
    func next(slot: Int64, isHeld: Bool, now: NIODeadline, send: (UnsafeRawBufferPointer, Int, Int64) -> Void) -> PlayoutQueue.Slot {
        let start = slot * Int64(Self.slotSamples)
        if case .filling(let since) = state, hold.isOver(queuedMilliseconds: queuedMilliseconds, since: since, now: now) { state = .playing }
        guard case .playing = state, !isHeld else {
            if case .underrun(let since) = state, now - since > PlayoutHold.longestGap { state = .empty }
            sendSilence(start, send)
            return PlayoutQueue.Slot(isPlaying: false, marks: [])
        }
        hold.relax(now: now)
        shorten(now: now)
        return play(from: start, now: now, send: send)
    }

    private func play(from start: Int64, now: NIODeadline, send: (UnsafeRawBufferPointer, Int, Int64) -> Void) -> PlayoutQueue.Slot {
        let end = start + Int64(Self.slotSamples)
        due = max(due, start)
        while due < end, let packet = ring.first {
            send(packet.payload, packet.samples, due)
            due += Int64(packet.samples)
            played += Int64(packet.samples)
            ring.removeFirst()
        }
        let isPlaying = due > start
        if due < end, ring.count == 0 { state = .underrun(at: now) }
        if isPlaying { silenceLeft = Self.silentPackets } else { sendSilence(start, send) }
        return PlayoutQueue.Slot(isPlaying: isPlaying, marks: dueMarks())
    }

    /// Drops quiet packets from the head while a standing queue is to be brought down.
    private func shorten(now: NIODeadline) {
        backlog.observe(queued: queued, holdMilliseconds: hold.milliseconds, now: now)
        guard backlog.isExcessive, marks.isEmpty, ring.count > 1, let packet = ring.first, let ear else { return }
        guard Level.dBFS(UnsafeBufferPointer(ear.decode(packet.payload))) < PlayoutBacklog.quietLevel else { return }
        played += Int64(packet.samples)
        counters.shortened += packet.samples
        ring.removeFirst()
    }

    private func sendSilence(_ start: Int64, _ send: (UnsafeRawBufferPointer, Int, Int64) -> Void) {
        guard silenceLeft > 0, due <= start else { return }
        silenceLeft -= 1
        send(UnsafeRawBufferPointer(silence), Self.slotSamples, start)
        due = start + Int64(Self.slotSamples)
    }

    private func dueMarks() -> [String] {
        guard let first = marks.first, first.position <= played else { return [] }
        let due = marks.prefix { $0.position <= played }.map(\.name)
        marks.removeFirst(due.count)
        return due
    }
}
