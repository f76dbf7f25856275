import NIOCore

/// One direction of a bad network, the same in every run with the same seed: what is sent comes out later, twice, in
/// another order, or not at all.
///
///     var network = LossyNetwork<[UInt8]>(seed: 1)
///     network.loss = .independent(0.05)
///     network.send(packet, now: now)
///     while let arrival = network.receive(now: now) { … }
public struct LossyNetwork<Datagram> {
    /// How packets are lost.
    public enum Loss: Sendable {
        case none
        /// Each by itself, with this probability.
        case independent(Double)
        /// Gilbert and Elliott: two states with a loss of their own, and the probability, at each packet, of going over
        /// to the other.
        case bursts(toBad: Double, toGood: Double, lossInGood: Double, lossInBad: Double)
        /// Just these, counted from 0 in order of sending.
        case exactly(Set<Int>)
    }

    public struct Arrival {
        public let datagram: Datagram
        public let sentAt: NIODeadline
        public let at: NIODeadline
    }

    public var loss = Loss.none
    /// Every packet takes at least this long.
    public var delay = TimeAmount.milliseconds(0)
    /// Each packet takes up to this much longer, evenly distributed.
    public var jitter = TimeAmount.milliseconds(0)
    /// Whether jitter may make a packet overtake another.
    public var jitterReorders = false
    /// The probability that a packet is delayed by `reorderingDelay` beyond all else, and overtaken meanwhile.
    public var reordering = 0.0
    public var reorderingDelay = TimeAmount.milliseconds(30)
    /// The probability that a packet comes a second time, `duplicateDelay` later.
    public var duplication = 0.0
    public var duplicateDelay = TimeAmount.milliseconds(1)
    /// Bits per second, with a queue in front of it; 0 for no limit.
    public var rate = 0
    /// Waiting longer than this in front of `rate`, a packet is dropped.
    public var queueLimit = TimeAmount.milliseconds(500)

    public private(set) var sent = 0
    public private(set) var lost = 0
    public private(set) var duplicated = 0
    public private(set) var reordered = 0

    private var generator: SeededGenerator
    private var isBad = false
    private var lineFreeAt = NIODeadline.uptimeNanoseconds(0)
    private var lastInOrder = NIODeadline.uptimeNanoseconds(0)
    private var underway: [Arrival] = []

    public init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    /// When the next packet comes out.
    public var deadline: NIODeadline? { underway.last?.at }

    public var isEmpty: Bool { underway.isEmpty }

    /// - Parameter bytes: the datagram's size on the line, for `rate`
    public mutating func send(_ datagram: Datagram, bytes: Int = 0, now: NIODeadline) {
        defer { sent += 1 }
        guard !isLost(), let leaves = passLine(bytes, now: now) else {
            lost += 1
            return
        }
        var at = leaves + delay + .nanoseconds(Int64(Double(jitter.nanoseconds) * generator.unit()))
        if generator.happens(reordering) {
            reordered += 1
            at = at + reorderingDelay
        } else if !jitterReorders {
            at = max(at, lastInOrder)
            lastInOrder = at
        }
        insert(Arrival(datagram: datagram, sentAt: now, at: at))
        if generator.happens(duplication) {
            duplicated += 1
            insert(Arrival(datagram: datagram, sentAt: now, at: at + duplicateDelay))
        }
    }

    /// The next packet that has come out by `now`.
    public mutating func receive(now: NIODeadline) -> Arrival? {
        guard let next = underway.last, next.at <= now else { return nil }
        underway.removeLast()
        return next
    }

    private mutating func isLost() -> Bool {
        switch loss {
        case .none:
            return false
        case .independent(let probability):
            return generator.happens(probability)
        case .bursts(let toBad, let toGood, let lossInGood, let lossInBad):
            if generator.happens(isBad ? toGood : toBad) { isBad.toggle() }
            return generator.happens(isBad ? lossInBad : lossInGood)
        case .exactly(let numbers):
            return numbers.contains(sent)
        }
    }

    /// - Returns: when the packet has left the line; `nil` when the queue in front of it is full.
    private mutating func passLine(_ bytes: Int, now: NIODeadline) -> NIODeadline? {
        guard rate > 0 else { return now }
        let start = max(now, lineFreeAt)
        guard start - now <= queueLimit else { return nil }
        lineFreeAt = start + .nanoseconds(Int64(bytes) * 8 * 1_000_000_000 / Int64(rate))
        return lineFreeAt
    }

    /// Kept latest first; of equal times, what was sent first comes out first.
    private mutating func insert(_ arrival: Arrival) {
        var index = underway.count
        while index > 0 && underway[index - 1].at <= arrival.at { index -= 1 }
        underway.insert(arrival, at: index)
    }
}
