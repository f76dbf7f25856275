/// What a media loop counts, at one moment.
struct MediaLoopSnapshot: Sendable {
    var calls = 0
    /// Milliseconds of agent speech waiting, over all calls.
    var playoutQueueMilliseconds = 0
    var counters = MediaLoopCounters()
    /// Sums of all calls, running and over.
    var legs = LegFigures()
    var playoutGaps = 0
    var io = MediaIOCounters()
    /// Datagrams that belonged to no leg.
    var strays = 0
    var isOverloaded = false
    /// Share of a core, in percent, that the loop's thread used lately.
    var busyPercent = 0
}

extension MediaLoop {
    func snapshot() -> MediaLoopSnapshot {
        var snapshot = MediaLoopSnapshot(
            calls: calls.count, counters: counters, legs: counters.finished, playoutGaps: counters.playoutGaps,
            io: environment.io.counters, strays: table.strays, isOverloaded: load.isOverloaded,
            busyPercent: Int((load.busy * 100).rounded()))
        for call in calls.values {
            let figures = call.currentFigures
            snapshot.legs.add(figures.caller)
            if let callee = figures.callee { snapshot.legs.add(callee) }
            snapshot.playoutGaps += figures.playoutGaps
            snapshot.playoutQueueMilliseconds += call.queuedMilliseconds
        }
        return snapshot
    }
}
