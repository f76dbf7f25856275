/// What a media loop counts, at one moment.
struct MediaLoopSnapshot: Sendable {
    var calls = 0
    /// Milliseconds of agent speech waiting, over all calls.
    var playoutQueueMilliseconds = 0
    var counters = MediaLoopCounters()
    /// Sums of all calls, running and over.
    var legs = LegFigures()
    var playoutGaps = 0
    var turns = TurnMeter.Figures()
    /// Legs whose Opus is below its usual bitrate, carries error correction, or goes out twice.
    var opusReduced = 0
    var opusProtected = 0
    var opusRedundant = 0
    /// Phone legs whose line has an echo that is taken out.
    var echoLegs = 0
    /// Legs whose level is changed and where somebody spoke.
    var gainLegs = 0
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
            calls: calls.count, counters: counters, legs: counters.finished, playoutGaps: counters.playoutGaps, turns: counters.turns,
            io: environment.io.counters, strays: table.strays, isOverloaded: load.isOverloaded,
            busyPercent: Int((load.busy * 100).rounded()))
        for call in calls.values {
            let figures = call.currentFigures
            snapshot.legs.add(figures.caller)
            if let callee = figures.callee { snapshot.legs.add(callee) }
            snapshot.echoLegs += [figures.caller.echo, figures.callee?.echo].count { $0 != nil }
            snapshot.gainLegs += [figures.caller.gain, figures.callee?.gain].count { $0 != nil }
            snapshot.playoutGaps += figures.playoutGaps
            snapshot.turns.add(figures.turns)
            snapshot.playoutQueueMilliseconds += call.queuedMilliseconds
            for adaptation in [call.caller?.port.adaptation, call.callee?.port.adaptation] { snapshot.add(adaptation) }
        }
        return snapshot
    }
}

extension MediaLoopSnapshot {
    fileprivate mutating func add(_ adaptation: OpusAdaptation?) {
        guard let adaptation else { return }
        if adaptation.decision.bitrate < adaptation.limits.bitrate { opusReduced += 1 }
        if adaptation.decision.expectedLoss > 0 { opusProtected += 1 }
        if adaptation.decision.isRedundant { opusRedundant += 1 }
    }
}
