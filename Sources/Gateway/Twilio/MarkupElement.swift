/// An element of an XML document, with what TwiML needs of it.
struct MarkupElement: Sendable, Equatable {
    var name: String
    var attributes: [String: String] = [:]
    var children: [MarkupElement] = []
    /// The character data directly inside it, without the white space around it.
    var text = ""
    /// Where it begins, from 1.
    var line = 1
}
