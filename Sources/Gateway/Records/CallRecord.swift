import Foundation

/// One call as it is told afterwards: stored when it ends, listed by the API (CONTRACT 5), and routed again by what-if.
///
/// While a call runs the same value describes it: `endedAt`, `cause` and what depends on them are nil then.
struct CallRecord: Sendable, Equatable {
    /// A number or name: as it came, and as the dial plan compared it.
    struct Party: Sendable, Equatable, Codable {
        var given: String
        var e164: String
    }

    /// One step of the route that was tried, in order.
    struct Step: Sendable, Equatable, Codable {
        /// `agent`, `trunk`, `browser`, `play`, `reject`, as in the dial plan.
        var kind: String
        /// The agent, the trunk, the user or the file.
        var target: String?
        /// The number a trunk step dialled.
        var dialled: String?
        /// `trying` while it is not decided, `answered`, or the word for its failure (`EndReason`).
        var outcome: String
        var sipCode: Int?
        var detail: String?
    }

    /// One far end of the call, with what its media did.
    struct Leg: Sendable, Equatable, Codable {
        enum Kind: String, Sendable, Codable {
            case browser, trunk, agent
        }

        var kind: Kind
        /// The trunk, the agent, or the user who was called.
        var name: String?
        /// As the session description names it, such as `opus` or `PCMU`; nil if nothing was negotiated.
        var codec: String?
        /// Where its media came from, redacted.
        var address: String?
        var packetsReceived = 0
        var packetsSent = 0
        /// Packets from it that never came.
        var lost = 0
        /// Interarrival jitter (RFC 3550 6.4.1) of what came from it.
        var jitterMilliseconds = 0.0
        /// Nil if it never reported.
        var roundTripMilliseconds: Double?
        /// Sound made up by the decoder.
        var concealedMilliseconds = 0
        /// Lost frames restored by in-band error correction.
        var recovered = 0
        /// Of an agent; nil where it never answered the caller and was never interrupted.
        var turns: Turns?
        /// Of a phone line with an echo: how much weaker that is than what is played, in dB (ERL).
        var echoReturnLoss: Double?
        /// And how much of it was taken out, in dB (ERLE).
        var echoEnhancement: Double?
        /// Of a leg whose level is changed (`agc`): how loud its speech came, in dBFS, and what was added to it at last, in dB.
        var speechLevel: Double?
        var gain: Double?
    }

    /// How a conversation with an agent went: what callers wait for, and what they do not hear.
    struct Turns: Sendable, Equatable, Codable {
        /// Answers of the agent to something the caller said.
        var answers = 0
        /// Means from the caller's end of speech to the agent's first sound as it came, and from there to the wire.
        var agentMilliseconds = 0
        var gatewayMilliseconds = 0
        var longestMilliseconds = 0
        var interruptions = 0
        /// Of the answers that were interrupted: what was heard, and what was not.
        var playedMilliseconds = 0
        var droppedMilliseconds = 0
        /// Breaks inside the agent's speech.
        var gaps = 0
    }

    /// The recording of the call's sound.
    struct Recorded: Sendable, Equatable, Codable {
        enum State: String, Sendable, Codable {
            case recording, paused
            /// The call is over, and the file complete, or about to be.
            case finished
            /// The disk refused it; what there is of it may end early.
            case failed
        }

        /// Path below the folder of recordings.
        var file: String
        var state: State
    }

    /// A header of the call that routes may look at.
    struct Header: Sendable, Equatable, Codable {
        var name: String
        var value: String
    }

    /// A line of the turn of events.
    struct Event: Sendable, Equatable {
        var at: Date
        /// A sentence without numbers and addresses.
        var what: String
    }

    var id: CallID
    /// Where it came from: a trunk's name, `browser`, `api`, or `stranger`.
    var via: String
    var from: Party
    var to: Party
    /// The name of the route that took it.
    var route: String?
    /// Why it went there.
    var explanation: CallExplanation?
    var steps: [Step] = []
    /// The caller first.
    var legs: [Leg] = []
    /// Nil for a call that is not recorded.
    var recording: Recorded?
    var startedAt: Date
    var ringingAt: Date?
    var answeredAt: Date?
    var endedAt: Date?
    var cause: EndReason?
    var sipCode: Int?
    /// One sentence on how it ended.
    var detail: String?
    /// What routing it again needs besides the numbers and `startedAt`.
    var headers: [Header] = []
    var events: [Event] = []
    /// `human`, `machine`, `fax` or `silence`: of a call that was placed with machine detection.
    var answeredBy: String?
    /// The account (twilio) whose agent had the call last, or that ordered it.
    var account: String?

    init(id: CallID, via: String, from: Party, to: Party, startedAt: Date) {
        self.id = id
        self.via = via
        self.from = from
        self.to = to
        self.startedAt = startedAt
    }

    /// In `via`: the call came from an address that is no trunk's. Not a name that anybody gives a trunk.
    static let stranger = "(no trunk)"

    /// The trunk it came in by.
    var trunkIn: String? { ["browser", "api", Self.stranger].contains(via) ? nil : via }
}

/// Takes the record of every call when it ends. Never blocks.
typealias CallRecordSink = @Sendable (CallRecord) -> Void

extension CallRecord {
    /// Of headers and events; more are not kept.
    static let listLimit = 64
    /// Bytes of a header's value; a longer header is not kept.
    static let headerLimit = 512

    /// The headers of a call that a route could be looking at. What names credentials, hops or dialogs never is one, and is not stored.
    static func routable(_ headers: [(name: String, value: String)]) -> [Header] {
        let kept = headers.lazy.filter { header in
            header.value.utf8.count <= headerLimit && !unroutable.contains(header.name.lowercased())
        }
        return kept.prefix(listLimit).map { Header(name: $0.name, value: $0.value) }
    }

    private static let unroutable: Set<String> = [
        "authorization", "proxy-authorization", "via", "v", "route", "record-route", "call-id", "i", "cseq", "max-forwards", "contact", "m",
        "content-length", "l", "content-type", "c", "content-encoding", "e", "content-disposition", "from", "f", "to", "t", "allow",
        "supported", "k", "session-expires", "x", "min-se", "allow-events", "u", "accept", "expires", "require", "proxy-require",
        "p-asserted-identity",
    ]
}
