/// A call in Twilio's words.
enum TwilioCall {
    static let apiVersion = "2010-04-01"

    /// `CA` and the call's identifier.
    static func sid(_ id: CallID) -> String { "CA\(id)" }

    static func id(_ sid: some StringProtocol) -> CallID? { sid.hasPrefix("CA") ? CallID(sid.dropFirst(2)) : nil }

    /// The fields every webhook gets. The call's parameters come last and replace none of them.
    /// - Parameter status: `CallStatus`; nil for what the call does now.
    static func fields(_ entry: CallEntry, account: String, status: String? = nil, parameters: [String: String]) -> [FormField] {
        let (from, to) = (entry.decision.from.e164, entry.decision.to.e164)
        var fields = [
            FormField("CallSid", sid(entry.id)), FormField("AccountSid", account), FormField("From", from), FormField("To", to),
            FormField("Caller", from), FormField("Called", to), FormField("Direction", entry.isOutbound ? "outbound-api" : "inbound"),
            FormField("CallStatus", status ?? (entry.call.isAnswered ? "in-progress" : "ringing")), FormField("ApiVersion", apiVersion),
        ]
        if let answerer = entry.record.answeredBy { fields.append(FormField("AnsweredBy", answeredBy(answerer))) }
        for header in entry.record.headers where header.name.lowercased().hasPrefix("x-") {
            fields.append(FormField("SipHeader_\(header.name)", header.value))
        }
        let taken = Set(fields.map(\.name))
        for (name, value) in parameters.sorted(by: { $0.key < $1.key }) where !taken.contains(name) { fields.append(FormField(name, value)) }
        return fields
    }

    /// Twilio's word for who answered.
    static func answeredBy(_ answerer: String) -> String {
        switch answerer {
        case "human", "fax": answerer
        case "machine": "machine_start"
        default: "unknown"
        }
    }

    /// `CallStatus` of a call that runs.
    static func status(_ call: RunningCall) -> String {
        switch call.state {
        case "routing" where call.record.via == "api": "queued"
        case "connected": "in-progress"
        case "ending": "completed"
        default: "ringing"
        }
    }

    /// `CallStatus` of a call that is over.
    static func status(_ record: CallRecord) -> String {
        if record.answeredAt != nil { return "completed" }
        return unanswered.first { word in record.cause.map(word.causes.contains) == true }?.status ?? "failed"
    }

    /// What became of calls that nobody answered, by how they ended; all others failed.
    private static let unanswered: [(status: String, causes: [EndReason])] = [
        ("busy", [.busy, .rejected]), ("no-answer", [.noAnswer]), ("canceled", [.callerHangup]),
    ]

    /// Which records have this `CallStatus`; nil for one that no call that is over has.
    static func filter(status: String) -> RecordFilter? {
        var filter = RecordFilter()
        filter.answered = status == "completed"
        if status == "completed" { return filter }
        let known = unanswered.flatMap(\.causes)
        filter.causes = status == "failed" ? EndReason.allCases.filter { !known.contains($0) } : unanswered.first { $0.status == status }?.causes
        return filter.causes == nil ? nil : filter
    }
}
