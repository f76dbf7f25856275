import Foundation

/// A call as Twilio's REST resource shows it: the same names, numbers as strings where Twilio has strings, times as in RFC 2822.
enum TwilioResource {
    static func json(_ call: RunningCall, account: String) -> JSONValue { json(call.record, status: TwilioCall.status(call), account: account) }

    static func json(_ record: CallRecord, status: String, account: String) -> JSONValue {
        let duration = record.endedAt.flatMap { end in record.answeredAt.map { String(max(0, Int(end.timeIntervalSince($0)))) } }
        let sid = TwilioCall.sid(record.id)
        let members: [String: JSONValue] = [
            "sid": .string(sid), "account_sid": .string(account), "status": .string(status), "direction": record.via == "api" ? "outbound-api" : "inbound",
            "from": .string(record.from.e164), "from_formatted": .string(record.from.e164), "to": .string(record.to.e164),
            "to_formatted": .string(record.to.e164), "date_created": time(record.startedAt), "date_updated": time(record.endedAt ?? record.startedAt),
            "start_time": time(record.answeredAt ?? record.startedAt), "end_time": time(record.endedAt), "duration": JSONValue(duration),
            "api_version": .string(TwilioCall.apiVersion), "price": .null, "price_unit": "USD", "answered_by": JSONValue(record.answeredBy.map(TwilioCall.answeredBy)), "caller_name": .null,
            "forwarded_from": .null, "group_sid": .null, "parent_call_sid": .null, "phone_number_sid": .null, "trunk_sid": .null,
            "queue_time": "0", "annotation": .null, "subresource_uris": .object([:]),
            "uri": .string("/\(TwilioCall.apiVersion)/Accounts/\(account)/Calls/\(sid).json"),
        ]
        return .object(members)
    }

    private static func time(_ date: Date?) -> JSONValue { date.map { .string(text($0)) } ?? .null }

    /// As in RFC 2822.
    static func text(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss Z"
        return formatter.string(from: date)
    }
}
