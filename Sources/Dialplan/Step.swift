/// One thing a route does with a call. Steps are tried in order until one takes the call.
public enum Step: Sendable, Equatable {
    case agent(AgentStep)
    case trunk(TrunkStep)
    case browser(BrowserStep)
    /// A WAV file, as written in the plan.
    case play(file: String)
    /// The call is refused with a SIP code, 400 to 699.
    case reject(code: Int)

    /// `agent`, `trunk`, `browser`, `play` or `reject`.
    public var kind: String {
        switch self {
        case .agent: "agent"
        case .trunk: "trunk"
        case .browser: "browser"
        case .play: "play"
        case .reject: "reject"
        }
    }
}

/// Hands the call to a voice agent.
public struct AgentStep: Sendable, Equatable {
    /// What the gateway does by itself when the caller speaks over the agent.
    public enum BargeIn: String, Sendable, CaseIterable {
        /// Nothing: the agent clears its own speech.
        case off
        /// The agent is told when the caller begins and stops to speak.
        case report
        /// The agent's speech becomes quieter.
        case duck
        /// The agent's queued speech is dropped.
        case flush
    }

    public var name: String
    /// Passed to the agent at its start, beside the caller's and called number.
    public var parameters: [String: String]
    public var bargeIn: BargeIn
    public var record: Bool

    public init(name: String, parameters: [String: String] = [:], bargeIn: BargeIn = .off, record: Bool = false) {
        self.name = name
        self.parameters = parameters
        self.bargeIn = bargeIn
        self.record = record
    }
}

/// Rings a user wherever that user is signed in at a browser; the first browser that accepts has the call.
public struct BrowserStep: Sendable, Equatable {
    /// As the plan writes it: nothing that a caller sent.
    public var user: String
    /// How long the browsers may ring; nil leaves it to the gateway.
    public var ringSeconds: Int?
    public var record: Bool

    public init(user: String, ringSeconds: Int? = nil, record: Bool = false) {
        self.user = user
        self.ringSeconds = ringSeconds
        self.record = record
    }

    /// Bytes of a user's name at most.
    public static let longestName = 64

    /// Whether a user may be called that: any text of up to 64 bytes without control characters and without spaces around it.
    public static func isName(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, let last = text.unicodeScalars.last else { return false }
        return text.utf8.count <= longestName && first != " " && last != " "
            && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
    }
}

/// Dials out by one of several trunks. Every part of the dialled number is either written in the plan
/// or digits that the caller's number was normalised to: nothing else a caller sent can get into it.
public struct TrunkStep: Sendable, Equatable {
    /// Tried in order.
    public var trunks: [String]
    /// Dialled instead of the called number.
    public var to: String?
    /// How many leading characters of the E.164 form are removed, the + counted.
    public var strip: Int
    /// Put before what is left.
    public var prepend: String
    public var callerID: String?
    public var headers: [String: String]
    /// How long the far end may ring; nil leaves it to the trunk.
    public var ringSeconds: Int?
    public var record: Bool

    public init(
        trunks: [String], to: String? = nil, strip: Int = 0, prepend: String = "", callerID: String? = nil,
        headers: [String: String] = [:], ringSeconds: Int? = nil, record: Bool = false
    ) {
        self.trunks = trunks
        self.to = to
        self.strip = strip
        self.prepend = prepend
        self.callerID = callerID
        self.headers = headers
        self.ringSeconds = ringSeconds
        self.record = record
    }

    /// E.164 allows 15 digits; carriers' prefixes and access codes stay below this, hostile numbers do not.
    public static let longestNumber = 32

    /// The number this step dials for a call.
    public func number(for called: NormalisedNumber) throws(UndialableNumber) -> String {
        if let to { return to }
        let number = called.e164.utf8
        let digits = number.first == UInt8(ascii: "+") ? number.dropFirst() : number[...]
        guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { throw .noNumber }
        guard digits.count <= Self.longestNumber else { throw .tooLong }
        guard strip < number.count else { throw .tooShort }
        return prepend + String(decoding: number.dropFirst(strip), as: UTF8.self)
    }

    /// The number this step dials for a call, nil if it cannot dial what was called.
    public func dialled(for called: NormalisedNumber) -> String? {
        try? number(for: called)
    }
}
