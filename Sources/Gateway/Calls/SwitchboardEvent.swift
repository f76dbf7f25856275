import Dialplan
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
    case signIn(UserSocket)
    case signOut(UserSocket.ID)
    /// A user takes a call that rings; the answer goes to `reply`.
    case accept(CallAcceptance, reply: BrowserReply)
    case decline(invitation: CallID, by: UserSocket.ID, status: Int)
    /// The answer description of the browser that accepted; nil if the call is gone.
    case userPrepared(CallID, invitation: CallID, BrowserCallAnswer?)
    /// A trunk call's media is made, and this is our description; or it could not be made.
    case trunkPrepared(CallID, Result<String, MediaLoop.TrunkRefusal>)
    /// Our description for a re-INVITE of one of the call's legs.
    case reoffered(CallID, SIPCallID, Result<String, TrunkMediaError>)
    /// The media of a call by a trunk is made, and this is our offer; or it could not be made.
    case calleePrepared(CallID, SIPCallID, Result<String, MediaLoop.TrunkRefusal>)
    /// The callee rings, or is heard before its answer.
    case calleeProgressed(CallID, SIPCallID, isRinging: Bool, hasMedia: Bool)
    /// The callee answered with a description that we can use, or cannot.
    case calleeAnswered(CallID, SIPCallID, Result<Void, TrunkMediaError>)
    /// A file to be played is read, or cannot be.
    case recordingLoaded(CallID, Result<Recording, CallEnd>)
    /// The TwiML document that was asked for as the call's n-th fetch.
    case documentFetched(CallID, Int, agent: String, url: String, Result<TwiML, WebRequest.Failure>)
    /// What a webhook says of the session of this step, asked for as the call's n-th fetch.
    case sessionDescribed(CallID, Int, AgentStep, url: String, Result<AgentWebhookSession, WebRequest.Failure>)
    /// The WAV file that was asked for as the call's n-th fetch.
    case soundFetched(CallID, Int, url: String, Result<Recording, CallEnd>)
    case media(CallID, MediaEvent)
    /// An administrator gives a call to somebody else; `reply` hears at once whether that can be tried.
    case transfer(CallID, AgentTransfer, reply: @Sendable (Result<Void, TransferRefusal>) -> Void)
    /// The API orders a call; `reply` hears at once whether it can be placed.
    case place(OutboundOrder, reply: PlacedReply)
    /// A media loop is full, or has room again.
    case loopLoad(Int, isOverloaded: Bool)
    /// No new calls from now on; `finished` is called when none is left.
    case drain(finished: @Sendable () -> Void)
    /// What is still there ends now.
    case endAll(EndReason)
    case settings(SwitchboardSettings)
    /// Called after everything before it was dealt with.
    case barrier(@Sendable (SwitchboardFigures) -> Void)

    typealias BrowserReply = @Sendable (Result<BrowserCallAnswer, BrowserCallRefusal>) -> Void
    typealias PlacedReply = @Sendable (Result<RunningCall, OutboundRefusal>) -> Void
}

/// What the switchboard counts.
struct SwitchboardFigures: Sendable {
    /// Calls that are not over, those included whose media is still being let go.
    var calls = 0
    var callsTotal = 0
    /// How many calls ended in which way.
    var ended: [EndReason: Int] = [:]
    /// How many calls went out by which trunk, and what came of them.
    var callsOut: [CallOut: Int] = [:]
    /// How many calls rang users, and what came of them: `answered`, or the word for the failure.
    var userCalls: [String: Int] = [:]
    /// Browsers at which users are signed in.
    var usersSignedIn = 0
    /// How many calls each limit refused or ended.
    var refused: [CallLimits.Limit: Int] = [:]
    /// How often each tone was heard on a phone's line.
    var lineTones: [LineTone: Int] = [:]
    var isDraining = false
    /// Of the configuration in force, in its order.
    var agents: [AgentUse] = []
    var trunks: [TrunkUse] = []
}

/// An agent, and how many calls talk to it.
struct AgentUse: Sendable, Equatable {
    var name: String
    /// Its addresses; none of one that is built in.
    var urls: [String] = []
    var calls = 0
}

/// A trunk, and how many calls it carries, in and out.
struct TrunkUse: Sendable, Equatable {
    var name: String
    var calls = 0
}

/// A trunk that was called, and what came of it: `answered`, or the word for the failure.
struct CallOut: Hashable, Sendable {
    var trunk: String
    var result: String
}
