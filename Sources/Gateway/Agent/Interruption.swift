import NIOCore

/// Decides what a caller who speaks over the agent does to the agent's speech.
///
/// A short sound of agreement must not end an answer, and a real interruption must be heard at once. So speech over the agent makes
/// it quieter first, then holds it, and only speech that lasts cuts it off.
struct Interruption {
    enum Effect: Equatable {
        case none
        /// Softer, so that the caller is heard and heard to be heard.
        case duck
        /// Silent, nothing lost yet.
        case hold
        /// Everything queued is dropped; once for each interruption.
        case flush
    }

    var policy: BargeInPolicy
    /// Samples of the caller's present speech, pauses within it included.
    private var spoken = 0
    private var hasFlushed = false
    /// The agent was speaking when the caller began.
    private var isOverAgent = false
    private let rate: Int

    /// From here on the agent is silent.
    static let holdMilliseconds = 120
    /// Shorter speech is a sound of agreement.
    static let flushMilliseconds = 300
    /// How much softer the agent gets, in decibels.
    static let duckDecibels: Float = -12

    init(policy: BargeInPolicy, rate: Int) {
        self.policy = policy
        self.rate = rate
    }

    /// After each frame of the caller's sound.
    /// - Parameters:
    ///   - isSpeaking: whether the caller speaks, short pauses within speech included
    ///   - silent: samples since the last loud ones
    ///   - agentSpeaks: whether the agent has something to say; a caller who speaks into silence interrupts nothing, also when an
    ///     answer begins before the end
    mutating func heard(_ count: Int, isSpeaking: Bool, silent: Int, agentSpeaks: Bool) -> Effect {
        guard policy == .duck || policy == .flush else { return .none }
        guard isSpeaking else {
            spoken = 0
            hasFlushed = false
            return .none
        }
        if spoken == 0 { isOverAgent = agentSpeaks }
        spoken += count
        guard isOverAgent else { return .none }
        if policy == .duck { return .duck }
        if hasFlushed { return .none }
        let milliseconds = (spoken - silent) * 1000 / rate + VoiceOnset.milliseconds
        if milliseconds >= Self.flushMilliseconds {
            hasFlushed = true
            return .flush
        }
        return milliseconds >= Self.holdMilliseconds ? .hold : .duck
    }

    /// What a detector has already heard of speech when it reports it.
    private enum VoiceOnset {
        static let milliseconds = 30
    }
}
