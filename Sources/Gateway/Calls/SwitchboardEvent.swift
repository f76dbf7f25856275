import SDP
import SIPStack

/// Everything the switchboard hears, in one ordered stream.
enum SwitchboardEvent: Sendable {
    /// From the SIP endpoint.
    case sip(SIPOutput)
    /// A browser wants to call; the answer goes to `reply`.
    case offer(BrowserCallRequest, reply: BrowserReply)
    /// The answer description of a browser's call is written.
    case browserPrepared(CallID, BrowserCallAnswer)
    case browserHungUp(CallID, CallEnd)
    /// A trunk call's media is made, and this is our description; or it could not be made.
    case trunkPrepared(CallID, Result<String, MediaLoop.TrunkRefusal>)
    /// Our description for a re-INVITE.
    case reoffered(CallID, Result<String, TrunkMediaError>)
    case media(CallID, MediaEvent)
    /// No new calls from now on; `finished` is called when none is left.
    case drain(finished: @Sendable () -> Void)
    /// What is still there ends now.
    case endAll(EndReason)
    case settings(SwitchboardSettings)
    /// Called after everything before it was dealt with.
    case barrier(@Sendable (SwitchboardFigures) -> Void)

    typealias BrowserReply = @Sendable (Result<BrowserCallAnswer, BrowserCallRefusal>) -> Void
}

/// What the switchboard counts.
struct SwitchboardFigures: Sendable {
    /// Calls that are not over, those included whose media is still being let go.
    var calls = 0
    var callsTotal = 0
    /// How many calls ended in which way.
    var ended: [EndReason: Int] = [:]
    var isDraining = false
}
