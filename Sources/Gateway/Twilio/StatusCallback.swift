/// Who hears how a call goes, in Twilio's words: an address, and which events go there.
struct StatusCallback: Sendable, Equatable {
    enum Event: String, Sendable, CaseIterable {
        /// The called party's network was asked.
        case initiated
        case ringing, answered
        /// The call is over, whatever came of it.
        case completed
    }

    /// In a document, relative to its own.
    var url: String
    var events: Set<Event> = [.completed]
    var isGet = false
    /// Whose token signs.
    var agent = ""

    /// - Returns: `completed` for no words; nil for a word that is none.
    static func events(_ words: [String]) -> Set<Event>? {
        guard !words.isEmpty else { return [.completed] }
        let events = words.compactMap(Event.init)
        return events.count == words.count ? Set(events) : nil
    }

    /// Nil for a method that is neither GET nor POST, which no method is.
    static func isGet(_ method: String?) -> Bool? {
        switch method?.uppercased() {
        case nil, "", "POST": false
        case "GET": true
        default: nil
        }
    }

    /// That of a document, with its whole address; nil if that is none.
    func of(_ script: TwiMLScript) -> StatusCallback? {
        guard let url = TwiMLScript.resolve(url, script.base) else { return nil }
        return StatusCallback(url: url, events: events, isGet: isGet, agent: script.agent)
    }
}
