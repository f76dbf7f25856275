/// The end of a call: its one word, the SIP status that says the same, and what a person should read.
public struct CallEnd: Error, Equatable {
    /// The word of CONTRACT section 4.
    public var reason: EndReason
    /// SIP status code, 200 to 699.
    public var sipStatus: Int
    /// One sentence, without addresses or numbers.
    public var detail: String

    public init(_ reason: EndReason, sipStatus: Int? = nil, detail: String? = nil) {
        self.reason = reason
        self.sipStatus = sipStatus ?? reason.sipStatus
        self.detail = detail ?? reason.sentence
    }
}
