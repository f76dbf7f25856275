import NIOCore

/// How many calls began within the last second, whatever second that is: ten calls at the end of one and ten at the
/// beginning of the next are twenty.
struct CallRate: Sendable {
    static let window = TimeAmount.seconds(1)

    /// When the calls of the window began, oldest first; at most as many as the limit.
    private var starts: [NIODeadline] = []

    /// Whether one more may begin now; counted if so.
    mutating func admit(limit: Int, now: NIODeadline) -> Bool {
        starts.removeAll { $0 + Self.window <= now }
        guard starts.count < limit else { return false }
        starts.append(now)
        return true
    }
}
