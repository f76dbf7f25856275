import CShims
import NIOCore

/// Reads, on a media loop's thread, what its `LoadMeter` judges, and reports a change.
struct LoadGauge {
    private let report: @Sendable (Bool) -> Void
    private var meter = LoadMeter()
    private var began: NIODeadline
    /// Readings at the beginning of the window; nil before the first turn, which is the first on the right thread.
    private var processorTime: Int64?
    private var counters = MediaLoopCounters()

    init(report: @escaping @Sendable (Bool) -> Void, now: NIODeadline) {
        self.report = report
        began = now
    }

    /// Called every turn.
    mutating func measure(_ loop: MediaLoop, now: NIODeadline) {
        guard now - began >= LoadMeter.interval || processorTime == nil else { return }
        let time = tandem_thread_cpu_nanoseconds()
        defer {
            processorTime = time
            counters = loop.counters
            began = now
        }
        guard let processorTime else { return }
        let skipped = loop.counters.skippedSlots - counters.skippedSlots
        let window = LoadMeter.Window(
            busy: .nanoseconds(time - processorTime), length: now - began,
            slots: loop.counters.playedSlots - counters.playedSlots + skipped,
            missed: loop.counters.missedSlots - counters.missedSlots + skipped)
        if meter.judge(window) { report(meter.isOverloaded) }
    }
}
