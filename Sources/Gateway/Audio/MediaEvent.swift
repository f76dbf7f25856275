/// What the media of a call tells the switchboard.
enum MediaEvent: Sendable {
    /// The agent of the present step takes the call.
    case agentAnswered
    /// The agent of the present step cannot be reached.
    case agentFailed(CallEnd)
    /// The agent ended the call.
    case agentEnded(CallEnd)
    /// The agent was lost in the middle of the call.
    case agentLost(CallEnd)
    /// The agent gives the call to somebody else.
    case agentTransfers(AgentTransfer)
    /// The agent sends a text to the caller's side.
    case agentSays(CallMessage)
    /// Who answered a call that the gateway placed.
    case answererFound(AnswerClassifier.Finding)
    /// The caller is gone.
    case callerEnded(CallEnd)
    /// The far end of a trunk or browser step is gone.
    case calleeEnded(CallEnd)
    /// The browser of the user who accepted the call can hear and be heard.
    case calleeReady
    /// The user that was rung by this invitation accepted nowhere in time.
    case rangOut(CallID)
    /// A tone on a phone's line, that of the caller or of the called party, says who or what is there.
    case toneHeard(LineTone, byCallee: Bool)
    /// A key is to go to the phone of the caller, or of the called party, by SIP INFO.
    case keyToSignal(Digit, milliseconds: Int, toCallee: Bool)
    /// A file or a failure tone was played to its end.
    case played
    /// The call lasted as long as it may.
    case outOfTime
    /// Nothing is left of the call's media; its figures.
    case released(MediaFigures)
}

/// What was counted of a call's media.
struct MediaFigures: Sendable {
    var caller = LegFigures()
    /// Of the last phone or user that was called; nil when none was.
    var callee: LegFigures?
    /// Breaks in the agent's speech.
    var playoutGaps = 0
    /// How long the caller waited for agents' answers.
    var turns = TurnMeter.Figures()
    /// The whole way of the sound in one line.
    var path = ""
}
