/// A text beside the sound: from or to a browser's page, a phone's SIP MESSAGE.
struct CallMessage: Equatable, Sendable {
    var contentType: String
    var body: String
}
