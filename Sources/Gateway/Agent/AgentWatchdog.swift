import NIOCore

/// Notices an agent that has a call and says nothing: after the answer, or after the caller spoke.
struct AgentWatchdog {
    /// From the answer to the agent's first sound; nil: the caller may be the one who speaks first.
    var firstSound: TimeAmount?
    /// From the caller's end of speech to the agent's next sound; nil: the agent may be silent.
    var answer: TimeAmount?

    private var wait: (limit: TimeAmount, until: NIODeadline)?
    private var hasSpoken = false

    init(firstSound: TimeAmount? = nil, answer: TimeAmount? = nil) {
        self.firstSound = firstSound
        self.answer = answer
    }

    /// - Parameters: of the configuration, in seconds; 0 for none
    init(firstAudioSeconds: Int, answerSeconds: Int) {
        func limit(_ seconds: Int) -> TimeAmount? { seconds > 0 ? .seconds(Int64(seconds)) : nil }
        self.init(firstSound: limit(firstAudioSeconds), answer: limit(answerSeconds))
    }

    /// When the agent is to be given up, unless something happens before.
    var deadline: NIODeadline? { wait?.until }

    /// The caller hears the agent from now on.
    mutating func joined(now: NIODeadline) {
        if !hasSpoken { begin(firstSound, now) }
    }

    /// The agent did something that a caller notices.
    mutating func agentActed() {
        hasSpoken = true
        wait = nil
    }

    /// The caller speaks; an agent that waits for the end is right.
    mutating func callerSpeaks() { wait = nil }

    mutating func callerStopped(at end: NIODeadline, agentSpeaks: Bool) {
        if !agentSpeaks { begin(answer, end) }
    }

    /// The agent was away, and gets its time anew.
    mutating func agentCameBack(now: NIODeadline) {
        if let wait { begin(wait.limit, now) }
    }

    /// - Returns: how long the agent was waited for, once, when that was too long.
    mutating func expire(now: NIODeadline) -> TimeAmount? {
        guard let wait, wait.until <= now else { return nil }
        self.wait = nil
        return wait.limit
    }

    private mutating func begin(_ limit: TimeAmount?, _ now: NIODeadline) {
        if let limit { wait = (limit, now + limit) }
    }
}
