/// How a call ended: one word everywhere (browser, API, records, agents, metrics), CONTRACT section 4.
///
/// Its translations live in this file: the SIP status of a final answer, the HTTP status of a refused request, and a
/// sentence for people.
public enum EndReason: String, Sendable, CaseIterable {
    case callerHangup = "caller_hangup"
    case calleeHangup = "callee_hangup"
    case agentHangup = "agent_hangup"
    case busy
    case noAnswer = "no_answer"
    case rejected
    case unreachable
    case agentUnavailable = "agent_unavailable"
    case agentLost = "agent_lost"
    case mediaTimeout = "media_timeout"
    case connectionLost = "connection_lost"
    case noRoute = "no_route"
    case refused
    case overload
    case draining
    case transferred
    case failed
}

extension EndReason {
    /// The SIP status code of a final answer, or the `cause` of a Reason header (RFC 3326) once the call is answered. A caller
    /// who hangs up an answered call has 200 (`Call.end`).
    public var sipStatus: Int {
        switch self {
        case .callerHangup: 487
        case .calleeHangup, .agentHangup, .transferred: 200
        case .busy: 486
        case .noAnswer, .agentUnavailable: 480
        case .rejected: 603
        case .unreachable: 502
        case .agentLost, .failed: 500
        case .mediaTimeout, .connectionLost: 408
        case .noRoute: 404
        case .refused: 403
        case .overload, .draining: 503
        }
    }

    /// The HTTP status that a browser's request gets when the call ends this way before an answer description exists.
    public var httpStatus: Int {
        switch self {
        case .noRoute: 404
        case .refused, .rejected, .busy: 403
        default: 503
        }
    }

    /// What a final answer of the far end means to the call (RFC 3261 21).
    public init(sipStatus: Int) {
        switch sipStatus {
        case 486, 600: self = .busy
        case 408, 480, 487: self = .noAnswer
        case 300..<400, 404, 410, 482, 483, 484, 485, 500..<600, 604: self = .unreachable
        default: self = .rejected
        }
    }

    /// The status that a caller gets for the far end's: the same where it speaks of the called party, the word's own where
    /// it speaks of our message to the trunk (a challenge, a redirection, a description it cannot use). 503 would make the
    /// caller's carrier avoid us for what is wrong with one trunk (RFC 3261 16.7).
    static func passedOn(sipStatus: Int) -> Int {
        let ofTheParty: Set<Int> = [403, 404, 408, 410, 480, 482, 483, 484, 485, 486, 488, 500, 502, 504, 600, 603, 604, 606, 607, 608]
        return ofTheParty.contains(sipStatus) ? sipStatus : EndReason(sipStatus: sipStatus).sipStatus
    }

    /// One sentence for people: what happened.
    public var sentence: String {
        switch self {
        case .callerHangup: "The caller hung up."
        case .calleeHangup: "The called party hung up."
        case .agentHangup: "The agent ended the call."
        case .busy: "The called party is busy."
        case .noAnswer: "Nobody answered."
        case .rejected: "The dial plan or the called party rejected the call."
        case .unreachable: "The called party could not be reached."
        case .agentUnavailable: "The agent could not be reached."
        case .agentLost: "The connection to the agent broke during the call."
        case .mediaTimeout: "No audio arrived from the caller any more."
        case .connectionLost: "The connection to the caller was lost."
        case .noRoute: "No route of the dial plan matches this destination."
        case .refused: "The call was refused."
        case .overload: "The gateway takes no more calls at the moment."
        case .draining: "The gateway is shutting down and takes no new calls."
        case .transferred: "The call was transferred."
        case .failed: "The call failed."
        }
    }
}
