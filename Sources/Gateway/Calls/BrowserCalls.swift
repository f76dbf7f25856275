import RTCStack

/// What browser signalling (WHIP and the signal socket) may ask of the switchboard. The only door between them.
protocol BrowserCalls: Sendable {
    /// Starts a call. Returns as soon as a route exists and the answer description is written (CONTRACT section 5), long before
    /// the far end answers.
    func offer(_ request: BrowserCallRequest) async -> Result<BrowserCallAnswer, BrowserCallRefusal>
    /// Restarts ICE of a running call: new credentials of the browser in, the gateway's new ones out. nil: no such call.
    func restart(_ call: CallID, ufrag: String, password: String) async -> BrowserRestart?
    /// A full new offer for a running call, as `restart` of the signal socket carries it: only its ICE part may differ.
    func restart(_ call: CallID, offer: String) async -> Result<BrowserCallAnswer, BrowserCallRefusal>
    /// A user can be called at this socket from now on.
    func signIn(_ socket: UserSocket)
    /// The socket is gone, or signed in as somebody else.
    func signOut(_ socket: UserSocket.ID)
    /// Takes a call that rings for a user, with the browser's offer. Returns when the answer is written, as `offer` does; the session
    /// is then named by the invitation.
    func accept(_ acceptance: CallAcceptance) async -> Result<BrowserCallAnswer, BrowserCallRefusal>
    /// A browser declines a call that rings at it, with a SIP status of 400 to 699; unknown invitations are ignored.
    func decline(_ invitation: CallID, by socket: UserSocket.ID, status: Int)
    /// Ends a call: the browser hung up (`.callerHangup`), or its signalling is lost for good (`.connectionLost`). Unknown and
    /// ended calls are ignored.
    func hangUp(_ call: CallID, _ end: CallEnd)
    /// The browser pressed keys (signal socket message `dtmf`); characters that are no keys are ignored.
    func press(_ digits: String, in call: CallID)
    /// The browser sent a text for the agent.
    func send(_ message: CallMessage, in call: CallID)
    /// The browser muted or unmuted its microphone: silence then is no loss.
    func mute(_ on: Bool, in call: CallID)
    /// What is counted of the browser's leg so far; nil for a call that is gone.
    func figures(of call: CallID) async -> LegFigures?
}

extension BrowserCalls {
    func hangUp(_ call: CallID) { hangUp(call, CallEnd(.callerHangup)) }
}

/// A browser's wish to call.
struct BrowserCallRequest: Sendable {
    /// The destination as given: a name or a number, percent-decoded.
    var to: String
    /// The offer (`application/sdp`).
    var sdp: String
    /// What the page hands to the agent.
    var parameters: [String: String]
    /// For the log: the address the request came from.
    var source: String
    /// Its signalling has no words for a failure after the answer (WHIP): it hears a tone before the call ends.
    var hearsTones = false
    /// Hears of the call from `ringing` on; called in order, from any thread.
    var observer: @Sendable (BrowserCallEvent) -> Void
}

/// What happens to a browser's call after its answer.
enum BrowserCallEvent: Sendable, Equatable {
    case ringing
    case connected
    /// A text of the agent.
    case message(CallMessage)
    case ended(CallEnd)
}

/// The call was taken.
struct BrowserCallAnswer: Sendable {
    var call: CallID
    /// The answer (`application/sdp`).
    var sdp: String
    /// Our ICE username fragment: it changes with every ICE restart, so it serves as the entity tag of RFC 9725 4.3.1.
    var iceUfrag: String
}

/// The gateway's side of an ICE restart.
struct BrowserRestart: Sendable {
    var ufrag: String
    /// The fragment (`application/trickle-ice-sdpfrag`) with the new credentials and candidates.
    var fragment: String
}

/// The call was not taken.
struct BrowserCallRefusal: Error, Sendable, Equatable {
    /// 400, 403, 404, 406, 410 or 503.
    var httpStatus: Int
    /// The end a signal socket is told, where the call got so far as to have one.
    var end: CallEnd
    /// What to do about it, for people.
    var detail: String
}
