/// A MESSAGE of a far end, not answered yet (RFC 3428).
public struct SIPTextMessage: Sendable {
    /// Of its server transaction.
    let transaction: UInt64
    /// The call in whose dialog it came; nil outside of any.
    public var call: SIPCallID?
    public var flow: SIPFlow
    /// Whom the Request-URI names.
    public var requested: SIPParty
    public var from: SIPParty
    /// The first P-Asserted-Identity with a user (RFC 3325); believe it only of a trunk.
    public var assertedIdentity: SIPParty?
    public var contentType: String
    public var text: String

    init(_ request: SIPRequest, transaction: UInt64, call: SIPCallID?, flow: SIPFlow, contentType: String, text: String) {
        self.transaction = transaction
        self.call = call
        self.flow = flow
        self.contentType = contentType
        self.text = text
        requested = SIPParty(uri: request.uri)
        from = SIPParty(request.from)
        assertedIdentity = SIPParty.asserted(request.headers)
    }
}
