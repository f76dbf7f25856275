import NIOCore

/// Sends keys as telephone-events (RFC 4733), one after the other: the first packet at once and with the marker, one
/// every 20 ms, the last one three times, the timestamp standing still.
struct TelephoneEventSender {
    static let interval = TimeAmount.milliseconds(20)
    /// Silence between two keys, so that detectors behind the far gateway tell them apart.
    static let pause = TimeAmount.milliseconds(60)
    /// Shorter tones are not recognised (ITU-T Q.24), longer ones nobody presses.
    static let durations = TimeAmount.milliseconds(40)...TimeAmount.seconds(30)
    /// Keys waiting: more than a card number with its extras.
    static let queueLimit = 64
    private static let repetitionsOfEnd = 3
    /// -10 dBm0, what telephones send.
    private static let volume: UInt8 = 10

    /// One packet to be written.
    struct Packet {
        var payload: TelephoneEventPayload
        var timestamp: Int64
        var marker: Bool
    }

    private struct Request {
        var event: UInt8
        var duration: TimeAmount
        /// Our axis and the clock, together when the key was asked for.
        var timestamp: Int64
        var askedAt: NIODeadline
    }

    private struct Press {
        var event: UInt8
        var startedAt: NIODeadline
        /// Units of the event's clock, in all.
        var total: Int
        var duration: TimeAmount
        /// Of the present segment, in units of the sound's clock.
        var timestamp: Int64
        /// Units of the event's clock in segments that are full.
        var fullSegments = 0
        var endsSent = 0
        var isFirst = true
        var nextAt: NIODeadline
    }

    private enum State {
        case idle
        case pressed(Press)
        /// Between two keys.
        case pausing(until: NIODeadline)
    }

    private var state = State.idle
    private var queue: [Request] = []

    init() {
        queue.reserveCapacity(Self.queueLimit)
    }

    /// Whether sound must be withheld: a key is being sent, or the next one waits.
    var isSending: Bool {
        switch state {
        case .pressed: true
        case .idle, .pausing: !queue.isEmpty
        }
    }

    /// Whether a key has begun and is not over.
    var isPressed: Bool {
        if case .pressed = state { return true }
        return false
    }

    /// When the next packet is due.
    var deadline: NIODeadline? {
        switch state {
        case .pressed(let press): press.nextAt
        case .idle: queue.first?.askedAt
        case .pausing(let until): queue.isEmpty ? nil : until
        }
    }

    /// - Returns: false when too many keys wait.
    mutating func start(_ event: UInt8, duration: TimeAmount, timestamp: Int64, now: NIODeadline) -> Bool {
        guard queue.count < Self.queueLimit else { return false }
        let duration = min(max(duration, Self.durations.lowerBound), Self.durations.upperBound)
        queue.append(Request(event: event, duration: duration, timestamp: timestamp, askedAt: now))
        return true
    }

    /// Forgets all keys, the one being sent included.
    mutating func cancel() {
        queue.removeAll(keepingCapacity: true)
        state = .idle
    }

    /// The packet that is due, if any. To be called until it returns `nil`.
    /// - Parameters:
    ///   - eventClock: of the telephone-event format
    ///   - soundClock: of the timestamps
    ///   - after: a timestamp that the key's must be beyond
    mutating func next(now: NIODeadline, eventClock: Int, soundClock: Int, after: Int64?) -> Packet? {
        if case .pausing(let until) = state, now >= until { state = .idle }
        if case .idle = state { begin(now: now, eventClock: eventClock, soundClock: soundClock, after: after) }
        guard case .pressed(var press) = state, now >= press.nextAt else { return nil }
        let packet = advance(&press, now: now, eventClock: eventClock, soundClock: soundClock)
        if press.endsSent == Self.repetitionsOfEnd {
            state = .pausing(until: max(press.startedAt + press.duration + Self.pause, now))
        } else {
            state = .pressed(press)
        }
        return packet
    }

    private mutating func begin(now: NIODeadline, eventClock: Int, soundClock: Int, after: Int64?) {
        guard let request = queue.first, now >= request.askedAt else { return }
        queue.removeFirst()
        let waited = Self.units(now - request.askedAt, soundClock)
        var timestamp = request.timestamp + Int64(waited)
        if let after { timestamp = max(timestamp, after + 1) }
        state = .pressed(
            Press(
                event: request.event, startedAt: now, total: Self.units(request.duration, eventClock),
                duration: request.duration, timestamp: timestamp, nextAt: now))
    }

    private func advance(_ press: inout Press, now: NIODeadline, eventClock: Int, soundClock: Int) -> Packet {
        // A late call skips packets: the duration always says how long the key is held by now.
        let intervals = (now - press.startedAt).nanoseconds / Self.interval.nanoseconds
        let reached = TimeAmount.nanoseconds((intervals + 1) * Self.interval.nanoseconds)
        var duration = min(Self.units(reached, eventClock), press.total) - press.fullSegments
        var end = press.fullSegments + duration == press.total
        let marker = press.isFirst
        press.isFirst = false
        let timestamp = press.timestamp
        if duration > Int(UInt16.max) {
            // The segment is full (2.5.1.3): said without the end bit; the next one begins at once. It is not
            // repeated: the new timestamp says the same, and some receivers take an old one for another key.
            duration = Int(UInt16.max)
            end = false
            press.fullSegments += duration
            press.timestamp += Int64(duration) * Int64(soundClock) / Int64(eventClock)
            press.nextAt = now
        } else {
            if end { press.endsSent += 1 }
            press.nextAt = press.startedAt + reached
        }
        let payload = TelephoneEventPayload(
            event: press.event, end: end, volume: Self.volume, duration: UInt16(clamping: duration))
        return Packet(payload: payload, timestamp: timestamp, marker: marker)
    }

    private static func units(_ time: TimeAmount, _ clockRate: Int) -> Int {
        Int(time.nanoseconds / 1_000 * Int64(clockRate) / 1_000_000)
    }
}
