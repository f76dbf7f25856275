import NIOCore
import TestKit

/// What a bad network does to each packet of a stream, the same in every run with the same seed: losses in bursts
/// (Gilbert and Elliott's two states) and delays that keep the order.
struct NetworkTrace {
    /// Share of packets lost, 0 to 1.
    let loss: Double
    /// The longest delay.
    let jitter: TimeAmount
    private var random: SeededGenerator
    private var isBad = false
    private var lastArrival = NIODeadline.uptimeNanoseconds(0)

    /// Chance that a burst ends with a packet: bursts are two long on average.
    private static let recovery = 0.5

    init(loss: Double, jitter: TimeAmount, seed: UInt64) {
        self.loss = loss
        self.jitter = jitter
        random = SeededGenerator(seed: seed)
    }

    /// When a packet sent at `now` arrives; nil when it is lost.
    mutating func arrival(of now: NIODeadline) -> NIODeadline? {
        let chance = Double.random(in: 0..<1, using: &random)
        let delay = TimeAmount.nanoseconds(Int64.random(in: 0...jitter.nanoseconds, using: &random))
        isBad = isBad ? chance >= Self.recovery : chance < loss * Self.recovery / (1 - loss)
        guard !isBad else { return nil }
        lastArrival = max(lastArrival, now + delay)
        return lastArrival
    }
}
