import NIOCore

/// The SSRC whose packets count, and what is known of it. Here packets that are in order become events.
struct AcceptedSource {
    /// A break longer than this is a gap: nothing could conceal it.
    private static let concealableSeconds: Int64 = 2

    let ssrc: UInt32
    var tracker: SequenceTracker
    var jitter: JitterMeter
    var reports = ReceptionReports()
    var telephone = TelephoneEventReceiver()
    private(set) var step: PacketStep
    /// The sequence number whose turn it is.
    private(set) var next: Int64
    private var axis = TimestampAxis()
    private var clockRate: Int
    private let packetMilliseconds: Int
    /// The last packet of sound passed on.
    private var lastAudio: (sequence: Int64, timestamp: Int64)?
    private var isNew = true

    init(ssrc: UInt32, sequence: UInt16, clockRate: Int, packetMilliseconds: Int) {
        self.ssrc = ssrc
        self.clockRate = clockRate
        self.packetMilliseconds = packetMilliseconds
        tracker = SequenceTracker(first: sequence)
        jitter = JitterMeter(clockRate: clockRate)
        step = PacketStep(clockRate: clockRate, milliseconds: packetMilliseconds)
        next = Int64(sequence)
    }

    /// The time from packet to packet.
    var packetTime: TimeAmount { .nanoseconds(step.samples * 1_000_000_000 / Int64(clockRate)) }

    /// The sequence numbers began anew: `next` is the first of them.
    mutating func restart(at sequence: Int64, into events: inout [RTPEvent]) {
        telephone.finish(into: &events)
        telephone = TelephoneEventReceiver()
        events.append(.gap(StreamGap(reason: .restart, lostPackets: 0)))
        next = sequence
        lastAudio = nil
        axis = TimestampAxis()
        jitter.interrupt()
    }

    /// Passes on a packet; what is missing between the one before and this has been given up.
    mutating func pass(
        _ packet: ReceivedPacket, counting statistics: inout RTPStatistics, into events: inout [RTPEvent]
    ) {
        let missing = Int(packet.sequence - next)
        let before = next - 1
        next = packet.sequence + 1
        switch packet.kind {
        case .unknown, .redundancy:
            // It has its place in the sequence, so it is no loss; there is nothing to hear.
            break
        case .comfortNoise:
            _ = axis.extend(packet.timestamp)
            // The first byte is the level, its top bit none of it; a spectrum may follow.
            if let level = packet.sound.first { events.append(.comfortNoise(level: level & 0x7F)) }
        case .telephoneEvent:
            let timestamp = axis.extend(packet.timestamp)
            telephone.receive(
                packet.sound, timestamp: timestamp, clockRate: packet.clockRate, arrival: packet.arrival,
                into: &events)
        case .audio:
            changeClock(packet.clockRate, into: &events)
            var timestamp = axis.extend(packet.timestamp)
            if timestamp.magnitude > TimestampAxis.farthest {
                axis = TimestampAxis()
                timestamp = axis.extend(packet.timestamp)
                events.append(.gap(StreamGap(reason: .jump, lostPackets: missing)))
            } else if let lastAudio, isSetBack(timestamp, after: lastAudio.timestamp) {
                events.append(.gap(StreamGap(reason: .jump, lostPackets: 0)))
            } else if let lastAudio, lastAudio.sequence == before {
                if missing == 0 {
                    step.learn(timestamp - lastAudio.timestamp)
                } else {
                    fill(
                        missing, from: lastAudio.timestamp, before: packet, at: timestamp, counting: &statistics,
                        into: &events)
                }
            }
            lastAudio = (packet.sequence, timestamp)
            events.append(
                .frame(
                    RTPFrame(
                        payload: packet.sound, payloadType: packet.payloadType, extendedTimestamp: timestamp,
                        extendedSequence: packet.sequence, marker: packet.marker, arrival: packet.arrival,
                        afterNewSource: isNew, isCopy: false)))
            isNew = false
        }
    }

    /// Whether the sender's time runs on from an earlier moment: its packets are in order, so it is no lateness. Some switches
    /// exchange the sound behind one SSRC. Less than a packet is left to whoever puts the sound in its place.
    private func isSetBack(_ timestamp: Int64, after last: Int64) -> Bool {
        last - timestamp > Int64(clockRate) * PacketStep.maximumMilliseconds / 1_000
    }

    private mutating func changeClock(_ rate: Int, into events: inout [RTPEvent]) {
        guard rate != clockRate else { return }
        clockRate = rate
        step = PacketStep(clockRate: rate, milliseconds: packetMilliseconds)
        if lastAudio != nil {
            lastAudio = nil
            events.append(.gap(StreamGap(reason: .clockChange, lostPackets: 0)))
        }
    }

    /// Says what is lost between two packets of sound, as far as their timestamps leave room for it.
    /// - Returns: how many losses that are
    @discardableResult
    func announce(
        _ missing: Int, from last: Int64, to timestamp: Int64, next: UnsafeRawBufferPointer,
        counting statistics: inout RTPStatistics, into events: inout [RTPEvent]
    ) -> Int {
        guard missing > 0 else { return 0 }
        let distance = timestamp - last
        guard distance <= Int64(clockRate) * Self.concealableSeconds else {
            events.append(.gap(StreamGap(reason: .jump, lostPackets: missing)))
            return missing
        }
        var samples = step.samples
        let share = distance / Int64(missing + 1)
        if !step.isMeasured && share * Int64(missing + 1) == distance && step.isPlausible(share) {
            samples = share
        }
        guard samples > 0 else { return 0 }
        // Fewer fit when lost packets were telephone-events, whose timestamp stands still; more when silence was
        // suppressed in between, and then it is unknown where the lost ones belonged.
        let count = min(missing, Int(max(0, distance / samples - 1)))
        guard count > 0 else { return 0 }
        let isContiguous = count == missing && distance == samples * Int64(missing + 1)
        statistics.concealable += count
        if isContiguous { statistics.recoverable += 1 }
        events.append(
            .lost(
                LostFrames(
                    count: count, extendedTimestamp: last + samples, timestampStep: samples,
                    next: isContiguous ? next : nil)))
        return count
    }
}
