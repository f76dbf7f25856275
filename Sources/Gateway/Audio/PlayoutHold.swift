import NIOCore

/// How long agent speech is held back when it begins after silence: as long as this agent's pacing has shown to need.
struct PlayoutHold {
    /// The hold now, in milliseconds; 0 for agents in the process.
    private(set) var milliseconds: Int
    private let enabled: Bool
    private var lastUnderrun: NIODeadline?

    /// Agents that pace in real time send 20 to 40 ms frames; two of those may be late.
    private static let initial = 60
    private static let largest = 120
    private static let step = 20
    /// Without an underrun for this long the hold becomes shorter again.
    private static let calm = TimeAmount.seconds(30)
    /// Silence up to this is a break inside an utterance; longer silence is the end of one.
    static let longestGap = TimeAmount.milliseconds(500)

    init(enabled: Bool) {
        self.enabled = enabled
        milliseconds = enabled ? Self.initial : 0
    }

    /// Whether playout may begin.
    func isOver(queuedMilliseconds: Int, since: NIODeadline, now: NIODeadline) -> Bool {
        queuedMilliseconds >= milliseconds || now - since >= .milliseconds(Int64(milliseconds))
    }

    mutating func underran(now: NIODeadline) {
        guard enabled else { return }
        milliseconds = min(milliseconds + Self.step, Self.largest)
        lastUnderrun = now
    }

    mutating func relax(now: NIODeadline) {
        guard enabled, let last = lastUnderrun, now - last > Self.calm else { return }
        milliseconds = max(milliseconds - Self.step, Self.initial)
        lastUnderrun = milliseconds > Self.initial ? now : nil
    }
}
