/// Timestamps of one source, extended past their 32 bits by the shortest way from one to the next.
struct TimestampAxis {
    /// Where an axis is to begin anew: years away at any clock, and only reached by a sender whose packets leap. Beyond, whoever
    /// converts timestamps to another clock might leave 64 bits.
    static let farthest: UInt64 = 1 << 45

    private var last: Int64?

    mutating func extend(_ timestamp: UInt32) -> Int64 {
        guard let last else {
            self.last = Int64(timestamp)
            return Int64(timestamp)
        }
        let step = Int32(bitPattern: timestamp &- UInt32(truncatingIfNeeded: last))
        let extended = last &+ Int64(step)
        self.last = extended
        return extended
    }
}
