/// A call in Twilio's words.
enum TwilioCall {
    static let apiVersion = "2010-04-01"

    /// `CA` and the call's identifier.
    static func sid(_ id: CallID) -> String { "CA\(id)" }

    static func id(_ sid: some StringProtocol) -> CallID? { sid.hasPrefix("CA") ? CallID(sid.dropFirst(2)) : nil }

    /// The fields every webhook gets. The call's parameters come last and replace none of them.
    static func fields(_ entry: CallEntry, account: String, parameters: [String: String]) -> [FormField] {
        let (from, to) = (entry.decision.from.e164, entry.decision.to.e164)
        var fields = [
            FormField("CallSid", sid(entry.id)), FormField("AccountSid", account), FormField("From", from), FormField("To", to),
            FormField("Caller", from), FormField("Called", to), FormField("Direction", "inbound"),
            FormField("CallStatus", entry.call.isAnswered ? "in-progress" : "ringing"), FormField("ApiVersion", apiVersion),
        ]
        for header in entry.record.headers where header.name.lowercased().hasPrefix("x-") {
            fields.append(FormField("SipHeader_\(header.name)", header.value))
        }
        let taken = Set(fields.map(\.name))
        for (name, value) in parameters.sorted(by: { $0.key < $1.key }) where !taken.contains(name) { fields.append(FormField(name, value)) }
        return fields
    }

    /// `CallStatus` of a call that runs, by our word for its state.
    static func status(state: String) -> String {
        switch state {
        case "connected": "in-progress"
        case "ending": "completed"
        default: "ringing"
        }
    }

    /// `CallStatus` of a call that is over.
    static func status(_ record: CallRecord) -> String {
        if record.answeredAt != nil { return "completed" }
        switch record.cause {
        case .busy, .rejected: return "busy"
        case .noAnswer: return "no-answer"
        case .callerHangup: return "canceled"
        default: return "failed"
        }
    }
}
