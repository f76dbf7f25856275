import NIOCore

/// Turns telephone-event packets (RFC 4733) of one SSRC into one start and one end for each key, whatever is lost,
/// repeated or late. It sees packets in order of sequence.
struct TelephoneEventReceiver {
    /// The keys: digits, *, #, A to D. Other events (flash, fax and modem tones) are not passed on.
    static let keys: ClosedRange<UInt8> = 0...15
    /// An event without a packet for this many of its packet intervals is over: its end was lost.
    private static let intervalsUntilOver: Int64 = 3
    /// The interval RFC 4733 advises, assumed until the packets show theirs.
    private static let usualInterval = TimeAmount.milliseconds(50)
    /// Bounds of an interval that is believed.
    private static let intervals = TimeAmount.milliseconds(10)...TimeAmount.milliseconds(100)

    private struct Key {
        var event: UInt8
        /// Where its first segment began, extended.
        var began: Int64
        /// Where the present segment began.
        var timestamp: Int64
        /// Timestamp units of the segment so far.
        var duration: UInt16
        /// Timestamp units of the segments before.
        var earlierSegments: Int
        var clockRate: Int
        var interval: TimeAmount
        var lastPacket: NIODeadline
        /// Its end was said, not only guessed.
        var isComplete = false
    }

    private var pressed: Key?
    /// The one that ended last: its repeated packets are expected.
    private var finished: Key?

    /// When the key pressed counts as let go, if nothing comes.
    var deadline: NIODeadline? {
        guard let pressed else { return nil }
        return pressed.lastPacket + .nanoseconds(pressed.interval.nanoseconds * Self.intervalsUntilOver)
    }

    /// - Parameter timestamp: the packet's, extended
    mutating func receive(
        _ payload: UnsafeRawBufferPointer, timestamp: Int64, clockRate: Int, arrival: NIODeadline,
        into events: inout [RTPEvent]
    ) {
        var timestamp = timestamp
        var offset = 0
        // Short events may share a packet, each beginning where the one before it ended (2.5.1.5).
        while let event = TelephoneEventPayload(payload, at: offset) {
            if Self.keys.contains(event.event) {
                receive(event, timestamp: timestamp, clockRate: clockRate, arrival: arrival, into: &events)
            }
            timestamp += Int64(event.duration)
            offset += TelephoneEventPayload.length
        }
    }

    mutating func expire(now: NIODeadline, into events: inout [RTPEvent]) {
        if let deadline, now >= deadline { finish(into: &events) }
    }

    /// Ends what is pressed: time is up, another key began, or the stream is over.
    mutating func finish(into events: inout [RTPEvent]) {
        guard let key = pressed else { return }
        pressed = nil
        finished = key
        let duration = key.earlierSegments + Int(key.duration)
        events.append(.digit(.ended(digit: key.event, durationSamples: duration, clockRate: key.clockRate)))
    }

    private mutating func receive(
        _ event: TelephoneEventPayload, timestamp: Int64, clockRate: Int, arrival: NIODeadline,
        into events: inout [RTPEvent]
    ) {
        if pressed != nil {
            guard update(event, timestamp: timestamp, arrival: arrival, into: &events) else { return }
        }
        if belongsToFinished(event, timestamp: timestamp) { return }
        events.append(.digit(.started(digit: event.event, timestamp: timestamp)))
        pressed = Key(
            event: event.event, began: timestamp, timestamp: timestamp, duration: event.duration, earlierSegments: 0,
            clockRate: clockRate, interval: Self.usualInterval, lastPacket: arrival)
        if event.end { complete(into: &events) }
    }

    private mutating func complete(into events: inout [RTPEvent]) {
        pressed?.isComplete = true
        finish(into: &events)
    }

    /// - Returns: true when the packet begins another event, the pressed one having been ended.
    private mutating func update(
        _ event: TelephoneEventPayload, timestamp: Int64, arrival: NIODeadline, into events: inout [RTPEvent]
    ) -> Bool {
        guard var key = pressed else { return true }
        if event.event == key.event && timestamp == key.timestamp {
            if event.duration > key.duration {
                let step = Int64(event.duration - key.duration) * 1_000_000_000 / Int64(max(key.clockRate, 1))
                key.interval = min(max(.nanoseconds(step), Self.intervals.lowerBound), Self.intervals.upperBound)
                key.duration = event.duration
            }
        } else if event.event == key.event && timestamp >= key.began && timestamp < key.timestamp {
            // The end of an earlier segment, repeated.
            return false
        } else if event.event == key.event && continues(key, at: timestamp) {
            key.earlierSegments += Int(timestamp - key.timestamp)
            key.timestamp = timestamp
            key.duration = event.duration
        } else {
            finish(into: &events)
            return true
        }
        key.lastPacket = arrival
        pressed = key
        if event.end { complete(into: &events) }
        return false
    }

    /// Repeated ends, and what still comes of a press that was taken to be over because packets were lost.
    private mutating func belongsToFinished(_ event: TelephoneEventPayload, timestamp: Int64) -> Bool {
        guard let key = finished, event.event == key.event else { return false }
        if timestamp >= key.began && timestamp <= key.timestamp {
            finished?.duration = max(key.duration, timestamp == key.timestamp ? event.duration : 0)
            return true
        }
        guard !key.isComplete, continues(key, at: timestamp) else { return false }
        finished?.timestamp = timestamp
        finished?.duration = event.duration
        return true
    }

    /// A long press goes on in a new segment that begins where the full one ended (2.5.1.3). Packets of the full one
    /// may be lost, so a segment that ended near its limit counts as full.
    private func continues(_ key: Key, at timestamp: Int64) -> Bool {
        let limit = Int64(UInt16.max)
        return timestamp - key.timestamp == limit || timestamp - key.timestamp == limit + 1
            || (key.duration > UInt16.max / 2 && timestamp - key.timestamp == Int64(key.duration))
    }
}
