import NIOCore

/// The receiving half of a session: which source counts, in which order its packets go on, and when a missing one is
/// given up.
struct Reception: ~Copyable {
    private(set) var source: AcceptedSource?
    /// Counters of the receiving half; losses are in the source.
    private(set) var counters = RTPStatistics()
    private(set) var wait = ReorderingWait()
    var requests = RetransmissionRequests()
    var arrivals: TransportArrivalLog
    private var formats: FormatTable
    private var hold = HoldBuffer()
    private var candidate = SourceCandidate()
    private var lostWithEarlierSources = 0
    /// When the hole in front of what is held is given up.
    private var holdDeadline: NIODeadline?

    init(formats: RTPFormats) {
        self.formats = FormatTable(formats)
        arrivals = TransportArrivalLog(identifier: formats.transportSequence)
    }

    var lost: Int { lostWithEarlierSources + (source?.tracker.lost ?? 0) }

    /// Whether packets are held for one that is missing.
    var isWaiting: Bool { holdDeadline != nil }

    var deadline: NIODeadline? {
        guard let digit = source?.telephone.deadline else { return holdDeadline }
        guard let holdDeadline else { return digit }
        return min(digit, holdDeadline)
    }

    mutating func renegotiate(_ formats: RTPFormats) {
        self.formats = FormatTable(formats)
        arrivals.identifier = formats.transportSequence
    }

    mutating func receive(
        _ packet: UnsafeRawBufferPointer, from address: TransportAddress, now: NIODeadline,
        into events: inout [RTPEvent]
    ) {
        hold.reclaim()
        guard let view = RTPPacketView(packet) else {
            counters.malformed += 1
            return
        }
        arrivals.receive(view, now: now)
        let content = formats.content(of: view)
        let kind = content.kind
        if kind == .unknown { counters.unknownPayload += 1 }
        guard source?.ssrc == view.ssrc else {
            receiveStranger(view, content, from: address, now: now, into: &events)
            return
        }
        candidate.clear()
        wait.shrink(now: now)
        guard let sequence = place(view, content, now: now, into: &events) else { return }
        order(makePacket(view, content, sequence: sequence, now: now), now: now, into: &events)
    }

    mutating func expire(now: NIODeadline, into events: inout [RTPEvent]) {
        hold.reclaim()
        wait.shrink(now: now)
        releaseDue(now: now, into: &events)
        source?.telephone.expire(now: now, into: &events)
    }

    /// A BYE for an SSRC.
    mutating func goodbye(_ ssrc: UInt32, into events: inout [RTPEvent]) {
        guard source?.ssrc == ssrc else { return }
        hold.reclaim()
        releaseAll(into: &events)
        source?.telephone.finish(into: &events)
        events.append(.goodbye)
    }

    mutating func receiveSenderReport(ssrc: UInt32, timestamp: NTPTimestamp, now: NIODeadline) {
        guard source?.ssrc == ssrc else { return }
        source?.reports.receiveSenderReport(timestamp, now: now)
    }

    /// The block for our next report; `nil` when nothing came since the last one.
    mutating func makeReport(now: NIODeadline) -> ReportBlock? {
        guard let tracker = source?.tracker, let jitter = source?.jitter.reported, let ssrc = source?.ssrc else {
            return nil
        }
        return source?.reports.make(ssrc: ssrc, tracker: tracker, jitter: jitter, now: now)
    }

    // MARK: Sources

    private mutating func receiveStranger(
        _ view: RTPPacketView, _ content: PacketContent, from address: TransportAddress, now: NIODeadline,
        into events: inout [RTPEvent]
    ) {
        let kind = content.kind
        // What we do not understand cannot make itself the source.
        guard kind != .unknown else { return }
        if let old = source {
            guard candidate.receive(ssrc: view.ssrc, sequence: view.sequenceNumber, from: address) else {
                counters.discarded += 1
                return
            }
            releaseAll(into: &events)
            source?.telephone.finish(into: &events)
            lostWithEarlierSources += old.tracker.lost
            events.append(.gap(StreamGap(reason: .newSource, lostPackets: 0)))
        }
        wait.forgetHoles()
        requests.forget()
        let clockRate = kind == .audio ? formats.clockRate(of: view.payloadType) : formats.firstAudioClockRate
        source = AcceptedSource(
            ssrc: view.ssrc, sequence: view.sequenceNumber, clockRate: clockRate,
            packetMilliseconds: formats.packetMilliseconds)
        count(view, kind, now: now)
        let packet = makePacket(view, content, sequence: Int64(view.sequenceNumber), now: now)
        source?.pass(packet, counting: &counters, into: &events)
    }

    // MARK: Order

    /// - Returns: the packet's extended sequence number, or `nil` when it is not to be passed on.
    private mutating func place(
        _ view: RTPPacketView, _ content: PacketContent, now: NIODeadline, into events: inout [RTPEvent]
    ) -> Int64? {
        let kind = content.kind
        guard let newest = source?.tracker.highest, let verdict = source?.tracker.receive(view.sequenceNumber) else {
            return nil
        }
        switch verdict {
        case .suspect:
            counters.discarded += 1
            return nil
        case .duplicate:
            counters.duplicates += 1
            counters.packetsReceived += 1
            counters.octetsReceived += view.payload.count
            return nil
        case .advanced(let sequence):
            if sequence > newest + 1 {
                wait.holeOpened(first: newest + 1, last: sequence - 1, now: now)
                // A network that reorders sends most of it by itself, and a packet with copies fills its hole.
                if wait.current == .zero, kind == .audio, content.offset == 0 {
                    requests.holeOpened(first: newest + 1, last: sequence - 1, packetTime: source?.packetTime ?? .zero, now: now)
                }
            }
            count(view, kind, now: now)
            return sequence
        case .reordered(let sequence):
            count(view, kind, now: now)
            let lateness = wait.openedAt(sequence).map { now - $0 } ?? .zero
            let isAnswer = requests.packetCameLate(sequence, lateness: lateness)
            if !isAnswer { wait.packetCameLate(sequence, packetTime: source?.packetTime ?? .zero, now: now) }
            guard let next = source?.next, sequence >= next else {
                counters.late += 1
                return nil
            }
            if isAnswer {
                counters.retransmitted += 1
                return sequence
            }
            counters.reordered += 1
            return sequence
        case .restarted(let sequence):
            releaseAll(into: &events)
            wait.forgetHoles()
            requests.forget()
            source?.restart(at: sequence, into: &events)
            count(view, kind, now: now)
            return sequence
        }
    }

    private mutating func count(_ view: RTPPacketView, _ kind: FormatTable.Kind, now: NIODeadline) {
        counters.packetsReceived += 1
        counters.octetsReceived += view.payload.count
        // Events repeat the timestamp of their beginning: their transit times say nothing.
        guard kind == .audio else { return }
        source?.jitter.receive(
            timestamp: view.timestamp, clockRate: formats.clockRate(of: view.payloadType), arrival: now)
    }

    private func makePacket(
        _ view: RTPPacketView, _ content: PacketContent, sequence: Int64, now: NIODeadline
    ) -> ReceivedPacket {
        ReceivedPacket(
            sequence: sequence, timestamp: view.timestamp, marker: view.marker, payloadType: content.payloadType,
            kind: content.kind, clockRate: content.clockRate, arrival: now, payload: view.payload, offset: content.offset)
    }

    private mutating func order(_ packet: ReceivedPacket, now: NIODeadline, into events: inout [RTPEvent]) {
        if packet.sequence == source?.next || (hold.isEmpty && patience(for: source?.next) == .zero) {
            source?.pass(packet, counting: &counters, into: &events)
        } else if !hold.insert(packet) {
            // No room: nothing is worth waiting for any longer.
            releaseAll(upTo: packet.sequence, into: &events)
            source?.pass(packet, counting: &counters, into: &events)
            releaseAll(into: &events)
        }
        releaseDue(now: now, into: &events)
    }

    /// How long a missing packet is waited for: as long as this network reorders, or until it could have been sent again.
    private func patience(for sequence: Int64?) -> TimeAmount {
        guard let sequence, let answer = requests.wait, requests.hasAsked(for: sequence) else { return wait.current }
        return max(answer, wait.current)
    }

    /// Passes on what is held as far as it is in order or the hole before it has been waited for long enough.
    private mutating func releaseDue(now: NIODeadline, into events: inout [RTPEvent]) {
        holdDeadline = nil
        while let first = hold.first, let next = source?.next {
            if first.sequence > next {
                let due = (wait.openedAt(next) ?? first.arrival) + patience(for: next)
                guard now >= due else {
                    holdDeadline = due
                    return
                }
            }
            guard let packet = hold.takeFirst() else { return }
            source?.pass(packet, counting: &counters, into: &events)
        }
    }

    private mutating func releaseAll(upTo limit: Int64 = .max, into events: inout [RTPEvent]) {
        while let first = hold.first, first.sequence < limit, let packet = hold.takeFirst() {
            source?.pass(packet, counting: &counters, into: &events)
        }
        if hold.isEmpty { holdDeadline = nil }
    }
}
