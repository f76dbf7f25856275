import NIOCore

/// Judges once a second whether a media loop can carry one more call, before those it carries suffer (ARCHITECTURE 5).
///
/// Two signs: the thread has hardly any time left, or slots of the 20 ms grid are missed. A machine that stands still for a
/// moment misses slots too, and is over it by the time anybody could be refused: only what lasts counts.
struct LoadMeter: Sendable {
    /// What a second showed.
    struct Window: Sendable {
        /// Processor time of the loop's thread, and the time it is a part of.
        var busy: TimeAmount
        var length: TimeAmount
        /// Slots that were due, and those of them that were played more than `missedAfter` late or never.
        var slots: Int
        var missed: Int
    }

    /// Between judgements.
    static let interval = TimeAmount.seconds(1)
    /// A slot this much late eats what a far end's jitter buffer usually holds.
    static let missedAfter = TimeAmount.milliseconds(15)

    /// Above the first share of its thread's time a loop takes no more calls, below the second it does again.
    private static let mostBusy = 0.85
    private static let busyAgain = 0.75
    /// The same for the share of slots missed.
    private static let mostMissed = 0.05
    private static let missedAgain = 0.01
    /// Windows in a row that miss slots, or are good again, before anything changes.
    private static let patience = 3

    /// No new calls for this loop.
    private(set) var isOverloaded = false
    private var missingInARow = 0
    private var goodInARow = 0

    /// - Returns: whether `isOverloaded` changed.
    mutating func judge(_ window: Window) -> Bool {
        let busy = Double(window.busy.nanoseconds) / Double(max(1, window.length.nanoseconds))
        let missed = window.slots == 0 ? 0 : Double(window.missed) / Double(window.slots)
        missingInARow = missed > Self.mostMissed ? missingInARow + 1 : 0
        goodInARow = busy < Self.busyAgain && missed <= Self.missedAgain ? goodInARow + 1 : 0
        let before = isOverloaded
        if busy > Self.mostBusy || missingInARow >= Self.patience {
            isOverloaded = true
        } else if goodInARow >= Self.patience {
            isOverloaded = false
        }
        return isOverloaded != before
    }
}
