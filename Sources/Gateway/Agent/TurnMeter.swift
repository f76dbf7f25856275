import NIOCore

/// How long callers wait for the agent's answers: for each turn the time from the caller's end of speech to the agent's first sound on
/// the wire, and its parts. Only what the gateway can see by itself.
struct TurnMeter {
    struct Turn: Equatable, Sendable {
        /// From the end of speech, as the packets came, to the agent's first sound of the answer, as it came.
        var agent: TimeAmount
        /// From there until it was on the wire.
        var down: TimeAmount
        var total: TimeAmount { agent + down }
    }

    struct Figures: Equatable, Sendable {
        var turns = 0
        /// Sums, for means.
        var agentMilliseconds = 0
        var downMilliseconds = 0
        var longestMilliseconds = 0
        /// Times the agent's speech was cut off because the caller spoke or the agent said so.
        var interruptions = 0
        /// Of the agent's speech, what was heard of the answers that were cut off, and what was not.
        var playedMilliseconds = 0
        var droppedMilliseconds = 0
        /// How many turns took at most so many milliseconds, for each of `bounds`.
        var histogram = [Int](repeating: 0, count: TurnMeter.bounds.count)
    }

    /// Milliseconds; of the histogram.
    static let bounds = [100, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000]

    private(set) var figures = Figures()
    private(set) var last: Turn?
    /// The caller stopped to speak, and no answer came yet.
    private var speechEnd: NIODeadline?
    private var firstSound: NIODeadline?
    /// Since when the agent's present answer is heard.
    private var playing: NIODeadline?

    /// The caller speaks (again): what comes is no answer to what was said before.
    mutating func callerSpeaks() {
        speechEnd = nil
        firstSound = nil
    }

    mutating func callerStopped(at end: NIODeadline) {
        speechEnd = end
        firstSound = nil
    }

    /// Speech of the agent came.
    mutating func agentSpoke(now: NIODeadline) {
        if speechEnd != nil, firstSound == nil { firstSound = now }
    }

    /// A slot of the playout grid.
    mutating func slot(isPlaying: Bool, now: NIODeadline) {
        guard isPlaying else {
            playing = nil
            return
        }
        if playing == nil { playing = now }
        guard let end = speechEnd, let first = firstSound else { return }
        speechEnd = nil
        firstSound = nil
        count(Turn(agent: max(.zero, first - end), down: now - max(first, end)))
    }

    mutating func cleared(droppedMilliseconds: Int, now: NIODeadline) {
        guard let playing else { return }
        figures.interruptions += 1
        figures.playedMilliseconds += Int((now - playing).nanoseconds / 1_000_000)
        figures.droppedMilliseconds += droppedMilliseconds
        self.playing = nil
    }

    private mutating func count(_ turn: Turn) {
        last = turn
        let total = Int(turn.total.nanoseconds / 1_000_000)
        figures.turns += 1
        figures.agentMilliseconds += Int(turn.agent.nanoseconds / 1_000_000)
        figures.downMilliseconds += Int(turn.down.nanoseconds / 1_000_000)
        figures.longestMilliseconds = max(figures.longestMilliseconds, total)
        for (place, bound) in Self.bounds.enumerated() where total <= bound { figures.histogram[place] += 1 }
    }
}

extension TurnMeter.Figures {
    mutating func add(_ other: Self) {
        turns += other.turns
        agentMilliseconds += other.agentMilliseconds
        downMilliseconds += other.downMilliseconds
        longestMilliseconds = max(longestMilliseconds, other.longestMilliseconds)
        interruptions += other.interruptions
        playedMilliseconds += other.playedMilliseconds
        droppedMilliseconds += other.droppedMilliseconds
        for place in histogram.indices { histogram[place] += other.histogram[place] }
    }
}
