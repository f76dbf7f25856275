import NIOCore

extension NIODeadline {
    /// The earlier of two deadlines that may not exist; without allocating, for it is asked every millisecond.
    static func earlier(_ first: NIODeadline?, _ second: NIODeadline?) -> NIODeadline? {
        guard let first else { return second }
        guard let second else { return first }
        return min(first, second)
    }
}
