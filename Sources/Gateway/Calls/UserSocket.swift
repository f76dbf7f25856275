/// A browser's signal socket at which a user is signed in.
struct UserSocket: Sendable {
    typealias ID = UInt64

    let id: ID
    let user: String
    /// Hears of calls to the user; called in order, from any thread.
    let observer: @Sendable (UserEvent) -> Void

    /// Sockets of one user at most; each rings for every call.
    static let mostOfOneUser = 16
}

/// What a signed-in user is told.
enum UserEvent: Sendable, Equatable {
    case incoming(IncomingCall)
    /// An incoming call is no longer to be accepted here: its caller gave up, it was declined, or accepted elsewhere.
    case over(CallID, CallEnd)
}

/// A call that a user may accept.
struct IncomingCall: Sendable, Equatable {
    /// What `accept` and `decline` name, and afterwards the session. Whoever knows it can accept the call.
    var invitation: CallID
    /// In their international form; `from` is empty where the caller has no number.
    var from: String
    var to: String
    /// What the caller's page, or whoever ordered the call, says besides.
    var parameters: [String: String]
}

/// A browser takes a call that rings for its user.
struct CallAcceptance: Sendable {
    var invitation: CallID
    /// The socket that says so; another one than those that ring may, for it knows the invitation.
    var socket: UserSocket.ID?
    /// The offer (`application/sdp`).
    var sdp: String
    /// Hears of the call from `connected` on.
    var observer: @Sendable (BrowserCallEvent) -> Void
}
