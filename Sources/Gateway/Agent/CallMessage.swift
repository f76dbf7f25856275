/// A text beside the sound: from or to a browser's page, a phone's SIP MESSAGE or INFO.
struct CallMessage: Equatable, Sendable {
    var contentType: String
    var body: String
    /// The agent's own number of it, repeated where it is not taken.
    var reference: Int64 = 0
}
