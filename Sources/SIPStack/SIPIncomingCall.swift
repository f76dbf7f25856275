/// A user as an address names it.
public struct SIPParty: Hashable, Sendable {
    /// The user part percent-decoded; a telephone number without its parameters. Empty if there is none.
    public var user: String
    /// The user part as written.
    public var rawUser: String
    /// Empty for TEL URIs.
    public var host: String
    public var port: Int?
    /// Empty if there is none.
    public var displayName: String
    /// The whole URI as written.
    public var uri: String

    public init(user: String, rawUser: String, host: String, port: Int? = nil, displayName: String = "", uri: String) {
        self.user = user
        self.rawUser = rawUser
        self.host = host
        self.port = port
        self.displayName = displayName
        self.uri = uri
    }

    /// Of a URI of a scheme we do not know only the text is there.
    init(uri: String, displayName: String = "") {
        let parsed = SIPURI(uri)
        self.init(
            user: parsed?.user ?? "", rawUser: parsed?.rawUser ?? "", host: parsed?.host ?? "", port: parsed?.port,
            displayName: displayName, uri: uri)
    }

    init(_ address: NameAddress) { self.init(uri: address.uri, displayName: address.displayName) }

    /// The first P-Asserted-Identity with a user.
    static func asserted(_ headers: [SIPHeader]) -> SIPParty? {
        headers.all("p-asserted-identity")
            .flatMap { (try? NameAddress.list($0.value, field: "P-Asserted-Identity")) ?? [] }
            .map(SIPParty.init).first { !$0.user.isEmpty }
    }
}

/// An INVITE that begins a call.
public struct SIPIncomingCall: Sendable {
    public var id: SIPCallID
    public var flow: SIPFlow
    /// As written.
    public var requestURI: String
    /// Whom the Request-URI names: the one to route on.
    public var requested: SIPParty
    public var to: SIPParty
    public var from: SIPParty
    /// The first P-Asserted-Identity with a user (RFC 3325); believe it only of a trunk.
    public var assertedIdentity: SIPParty?
    /// The caller's number is for the network only, not for whoever is called (Privacy, RFC 3323 4.2 and RFC 3325 9.3).
    public var withholdsNumber: Bool
    /// Every field in its order, bytes that are not UTF-8 replaced.
    public var headers: [SIPHeaderField]
    /// The session description; nil for a delayed offer.
    public var offer: String?
    public var callID: String
    /// As it arrived, 1 or more; 70 where the sender gave none.
    public var maxForwards: Int
    /// The marks of the gateways like this one that it passed, for ``SIPCallOrder/path`` of a call that relays it.
    public var path: [String]

    /// For ``SIPCallOrder/maxForwards`` of a call that relays this one: counted down by this hop (RFC 7332). The only place that counts.
    public var onwardMaxForwards: Int { maxForwards - 1 }

    init(id: SIPCallID, flow: SIPFlow, request: SIPRequest, offer: String?) {
        self.id = id
        self.flow = flow
        self.offer = offer
        requestURI = request.uri
        requested = SIPParty(uri: request.uri)
        to = SIPParty(request.to)
        from = SIPParty(request.from)
        assertedIdentity = SIPParty.asserted(request.headers)
        withholdsNumber = request.headers.tokens("privacy").flatMap { $0.lowercased().split(separator: ";") }.contains { value in
            ["id", "user"].contains(value.filter { $0 != " " })
        }
        headers = request.headers.map { SIPHeaderField(name: $0.name, value: $0.text) }
        callID = request.callID
        maxForwards = request.maxForwards ?? SIPCallOrder.defaultMaxForwards
        path = CallPath.marks(request.headers)
    }
}
