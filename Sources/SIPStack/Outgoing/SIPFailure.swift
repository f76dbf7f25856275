import NIOCore

/// One host that was tried for a call, and what came of it.
public struct SIPAttempt: Hashable, Sendable, CustomStringConvertible {
    public enum Result: Hashable, Sendable {
        /// The final response, with its reason phrase.
        case refused(status: Int, reason: String)
        /// Nothing came at all, or nothing final within 64*T1 of an INVITE repeated to the end.
        case silent
        /// The connection could not be opened or broke, or we have no listener of that transport.
        case transport
        /// It rang, and nobody answered within the order's limit.
        case noAnswer
        /// Not tried: it said 503 with Retry-After, whose time is not over.
        case waiting
    }

    public let target: SIPTarget
    public let result: Result

    public var description: String {
        switch result {
        case .refused(let status, let reason): "\(target): \(status) \(reason)"
        case .silent: "\(target): no response"
        case .transport: "\(target): no connection"
        case .noAnswer: "\(target): no answer"
        case .waiting: "\(target): asked not to be called yet"
        }
    }
}

/// Why a call out did not come about, all hosts considered.
public struct SIPFailure: Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// The far end said so: 3xx (never followed: whom we dial is not a far end's to choose), 4xx, 5xx or 6xx.
        case rejected(status: Int)
        /// Nobody answered within ``SIPCallOrder/ringLimit``.
        case noAnswer
        /// No host said anything final: silent, not connectable, or still within the Retry-After of an earlier 503.
        case unreachable
        /// 401 or 407 without credentials, with wrong ones, or for a scheme we do not speak.
        case authenticationFailed
        /// The call came back to us (482).
        case loop
        /// Max-Forwards has run out (483).
        case tooManyHops
    }

    public let kind: Kind
    /// The status code that says it best: the far end's where there was one, else 408 (silent), 480 (no answer), 483, 503 (no connection).
    public let status: Int
    /// The reason phrase that came with it.
    public let reason: String
    /// The far end's Reason field (RFC 3326), e.g. an ISDN cause.
    public let cause: SIPReason?
    /// When to try again, if it was said.
    public let retryAfter: TimeAmount?
    /// Every host in turn; the last one is the one tried last.
    public let attempts: [SIPAttempt]
    /// One sentence for the log, without numbers and passwords.
    public let detail: String

    /// The sentence with every host and what came of it, for the log.
    public var description: String {
        attempts.isEmpty ? detail : "\(detail) (\(attempts.map(\.description).joined(separator: "; ")))"
    }

    /// The host tried last.
    public var target: SIPTarget? { attempts.last?.target }
}
