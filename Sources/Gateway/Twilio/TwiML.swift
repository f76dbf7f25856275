/// A TwiML document: what a voice webhook wants done with the call, verb after verb.
struct TwiML: Sendable, Equatable {
    enum Verb: Sendable, Equatable {
        case connect(Stream)
        case dial(Dial)
        /// A WAV file by HTTP, so many times.
        case play(url: String, times: Int)
        case pause(seconds: Int)
        case hangUp
        case redirect(Request)
        /// With this SIP status.
        case reject(status: Int)
    }

    /// `<Connect><Stream>`: sound both ways over a WebSocket.
    struct Stream: Sendable, Equatable {
        /// Nil: the agent's configured one.
        var url: String?
        var parameters: [String: String] = [:]
        var name: String?
        /// Told when it begins and ends.
        var callback: StatusCallback?
    }

    struct Dial: Sendable, Equatable {
        /// Numbers and SIP addresses, which ring at once, then clients and agents in order; the dial plan says where each leads.
        var targets: [String] = []
        /// Who hears how the call of a target goes, by its place among them.
        var callbacks: [Int: StatusCallback] = [:]
        /// Seconds each may ring.
        var timeout = 30
        var callerID: String?
        /// Asked for more TwiML when the dialled party is gone or was not reached.
        var action: Request?
    }

    struct Request: Sendable, Equatable {
        /// Relative to the document's own; empty: that one again.
        var url: String
        var isGet = false
    }

    var verbs: [Verb] = []

    /// What `<Play loop="0">`, for ever, comes to, and the most of any loop.
    static let mostLoops = 1000
    static let mostTargets = 10
}
