import NIOCore

/// A clock that stands still until a test moves it, and an agenda of what happens when.
///
///     var time = VirtualTime<Step>()
///     time.schedule(in: .milliseconds(20), .sendFrame)
///     while let event = time.next(until: end) { … }     // time.now is the event's time
public struct VirtualTime<Event> {
    public private(set) var now: NIODeadline
    /// Latest first, so that the next one is taken off the end.
    private var agenda: [(at: NIODeadline, event: Event)] = []

    /// - Parameter start: not zero, so that a forgotten `now` shows
    public init(start: NIODeadline = .uptimeNanoseconds(1_000_000_000_000)) {
        now = start
    }

    public var isEmpty: Bool { agenda.isEmpty }

    public mutating func schedule(in delay: TimeAmount, _ event: Event) {
        schedule(at: now + delay, event)
    }

    /// What is scheduled for the past happens now; of equal times, what was scheduled first happens first.
    public mutating func schedule(at time: NIODeadline, _ event: Event) {
        let time = max(time, now)
        var index = agenda.count
        while index > 0 && agenda[index - 1].at <= time { index -= 1 }
        agenda.insert((time, event), at: index)
    }

    /// Moves the clock to the next event that is due by `end` and returns it; with none left, moves it to `end`.
    public mutating func next(until end: NIODeadline) -> Event? {
        guard let last = agenda.last, last.at <= end else {
            now = max(now, end)
            return nil
        }
        agenda.removeLast()
        now = max(now, last.at)
        return last.event
    }

    /// Moves the clock without regard to the agenda.
    public mutating func advance(by amount: TimeAmount) {
        now = now + amount
    }
}
