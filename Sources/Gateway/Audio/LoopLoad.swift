import NIOCore

/// Whether a media loop has time for more calls, judged in windows of half a second by how busy its thread was and how many slots
/// of the 20 ms grid it played late. An engine: the time its thread used is an argument.
///
/// A loop is full before its calls suffer: calls that were admitted a moment ago do not yet cost what they will.
struct LoopLoad: Sendable {
    private(set) var isOverloaded = false
    /// Share of a core that the thread used in the last window.
    private(set) var busy = 0.0

    private var window: (start: NIODeadline, used: TimeAmount)?
    private var slots = 0
    private var late = 0
    /// Windows in a row that were hot by late slots, and that were cool.
    private var lateWindows = 0
    private var coolWindows = 0

    private static let length = TimeAmount.milliseconds(500)
    /// From this share of a core on, the loop takes no more calls; it takes calls again below `coolShare`.
    private static let hotShare = 0.80
    private static let coolShare = 0.65
    /// From this share of late slots on for two seconds, though the thread is not busy: others have the processor. A shared machine
    /// that stands still for a moment is no reason to refuse anybody.
    private static let hotLate = 0.20
    private static let coolLate = 0.02
    /// With fewer calls than this it is not the calls that make the loop late, and refusing more would help nobody.
    private static let fewCalls = 8
    private static let lateWindowsToRefuse = 4
    private static let coolWindowsToAdmit = 4

    mutating func slotPlayed(isLate: Bool) {
        slots += 1
        if isLate { late += 1 }
    }

    /// To be called at every turn.
    /// - Parameters:
    ///   - used: the time the loop's thread has run so far; asked for once a window
    /// - Returns: whether `isOverloaded` changed.
    mutating func turned(calls: Int, now: NIODeadline, used: () -> TimeAmount) -> Bool {
        guard let window else {
            self.window = (now, used())
            return false
        }
        let elapsed = now - window.start
        guard elapsed >= Self.length else { return false }
        let total = used()
        busy = Double((total - window.used).nanoseconds) / Double(elapsed.nanoseconds)
        let lateShare = Double(late) / Double(max(1, slots))
        (slots, late) = (0, 0)
        self.window = (now, total)
        return judge(lateShare: lateShare, calls: calls)
    }

    private mutating func judge(lateShare: Double, calls: Int) -> Bool {
        lateWindows = lateShare >= Self.hotLate ? lateWindows + 1 : 0
        coolWindows = busy < Self.coolShare && lateShare < Self.coolLate ? coolWindows + 1 : 0
        if isOverloaded {
            guard coolWindows >= Self.coolWindowsToAdmit || calls == 0 else { return false }
            isOverloaded = false
            return true
        }
        guard calls >= Self.fewCalls, busy >= Self.hotShare || lateWindows >= Self.lateWindowsToRefuse else { return false }
        isOverloaded = true
        return true
    }
}
