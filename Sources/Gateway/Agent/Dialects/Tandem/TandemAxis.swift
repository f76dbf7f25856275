/// The agent's clock (`pts`) and its generations against the positions of the playout: which samples of a message are new, and which
/// sample of the agent's the caller heard last.
struct TandemAxis {
    /// What is to be done with a message's samples.
    enum Verdict: Equatable {
        /// Play all but the first `skip`.
        case play(skip: Int)
        /// Of a generation that was cleared, or had already.
        case drop
        /// A jump that was not announced.
        case jump
    }

    /// Audio of earlier generations is dropped.
    private(set) var current = 1
    /// The newest generation that was played.
    private(set) var latest = 0
    /// The next wanted sample on the agent's clock.
    private(set) var next: Int64 = 0
    /// Samples that came too late to be played.
    private(set) var stale = 0
    /// Where on the playout which sample of the agent's clock stands, in order; between two of them both go on together.
    private var anchors: [(position: Int64, pts: Int64)] = []
    /// Where on the playout each generation begins that is not played out yet.
    private var starts: [(generation: Int, position: Int64)] = []

    /// No agent's clock comes so far; beyond, a position of the playout added to it might leave 64 bits.
    private static let farthest: Int64 = 1 << 60

    /// - Parameters:
    ///   - isJump: the message says that samples are missing before it
    mutating func arrived(pts: Int64, count: Int, generation: Int, isJump: Bool) -> Verdict {
        let (end, isTooFar) = pts.addingReportingOverflow(Int64(count))
        guard pts >= 0, !isTooFar, end <= Self.farthest, pts <= next || isJump else { return .jump }
        let skip = Int(clamping: max(0, min(next - pts, Int64(count))))
        next = max(next, end)
        guard generation >= current else {
            stale += count - skip
            return .drop
        }
        return skip == count ? .drop : .play(skip: skip)
    }

    /// Samples from `pts` on were queued at `position`.
    mutating func queued(pts: Int64, at position: Int64, generation: Int, heard: Int64) {
        // What would have stood behind it was cut off.
        while let last = starts.last, last.position > position { starts.removeLast() }
        if anchors.last.map({ $0.pts + position - $0.position }) != pts { anchors.append((position, pts)) }
        if generation > latest {
            latest = generation
            starts.append((generation, position))
        }
        // The last one before what is heard is still needed.
        while anchors.count > 1, anchors[1].position <= heard { anchors.removeFirst() }
        while starts.count > 1, starts[1].position <= heard { starts.removeFirst() }
    }

    /// The agent's sample at a position of the playout.
    func pts(at position: Int64) -> Int64 {
        guard let anchor = anchors.last(where: { $0.position <= position }) else { return anchors.first?.pts ?? 0 }
        return anchor.pts + position - anchor.position
    }

    /// The generation that is heard at a position.
    func generation(at position: Int64) -> Int {
        starts.last { $0.position <= position }?.generation ?? latest
    }

    /// Forgets a generation and all before it.
    /// - Returns: where the first generation begins that stays; nil when none does.
    mutating func clear(upTo generation: Int) -> Int64? {
        current = max(current, generation &+ 1)
        return starts.first { $0.generation > generation }?.position
    }

    /// A new conversation on a new socket: the agent's clock begins anew.
    mutating func restart(at position: Int64) {
        self = TandemAxis()
        anchors = [(position, 0)]
    }
}
