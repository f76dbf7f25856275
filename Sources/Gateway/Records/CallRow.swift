import Foundation
import GRDB

/// A record as the database has it: times in milliseconds since 1970 UTC, lists as JSON text.
struct CallRow: Codable, FetchableRecord, PersistableRecord {
    static let databaseTableName = "calls"
    /// A call's identifier stays the same, so storing it twice is storing it once.
    static let persistenceConflictPolicy = PersistenceConflictPolicy(insert: .replace, update: .replace)

    var id: String
    var via: String
    var from_given: String
    var from_e164: String
    var to_given: String
    var to_e164: String
    var route: String?
    var cause: String?
    var sip_code: Int?
    var detail: String?
    var started_ms: Int64
    var ringing_ms: Int64?
    var answered_ms: Int64?
    var ended_ms: Int64
    /// From the answer to the end; 0 without an answer.
    var talk_ms: Int64
    var steps: [CallRecord.Step]
    var legs: [CallRecord.Leg]
    var recording: CallRecord.Recorded?
    var headers: [CallRecord.Header]
    var events: [Event]
    var explanation: String?
    var answered_by: String?
    var account: String?

    struct Event: Codable {
        var ms: Int64
        var what: String
    }

    init(_ record: CallRecord) {
        id = record.id.description
        via = record.via
        (from_given, from_e164) = (record.from.given, record.from.e164)
        (to_given, to_e164) = (record.to.given, record.to.e164)
        route = record.route
        cause = record.cause?.rawValue
        sip_code = record.sipCode
        detail = record.detail
        started_ms = record.startedAt.milliseconds
        ringing_ms = record.ringingAt?.milliseconds
        answered_ms = record.answeredAt?.milliseconds
        ended_ms = (record.endedAt ?? record.startedAt).milliseconds
        talk_ms = record.talkMilliseconds
        steps = record.steps
        legs = record.legs
        recording = record.recording
        headers = record.headers
        events = record.events.prefix(CallRecord.listLimit).map { Event(ms: $0.at.milliseconds, what: $0.what) }
        explanation = record.explanation?.json
        answered_by = record.answeredBy
        account = record.account
    }

    /// Nil if the identifier is none: somebody else wrote the row.
    var record: CallRecord? {
        guard let id = CallID(id) else { return nil }
        var record = CallRecord(
            id: id, via: via, from: .init(given: from_given, e164: from_e164), to: .init(given: to_given, e164: to_e164),
            startedAt: Date(milliseconds: started_ms))
        record.route = route
        record.cause = cause.flatMap(EndReason.init)
        record.sipCode = sip_code
        record.detail = detail
        record.ringingAt = ringing_ms.map(Date.init(milliseconds:))
        record.answeredAt = answered_ms.map(Date.init(milliseconds:))
        record.endedAt = Date(milliseconds: ended_ms)
        record.steps = steps
        record.legs = legs
        record.recording = recording
        record.headers = headers
        record.events = events.map { CallRecord.Event(at: Date(milliseconds: $0.ms), what: $0.what) }
        record.explanation = explanation.map(CallExplanation.init(json:))
        record.answeredBy = answered_by
        record.account = account
        return record
    }
}

extension CallRecord {
    /// From the answer to the end; 0 without an answer, or while the call runs.
    var talkMilliseconds: Int64 {
        guard let answeredAt, let endedAt else { return 0 }
        return max(0, endedAt.milliseconds - answeredAt.milliseconds)
    }
}

extension Date {
    /// Since 1970 UTC, rounded.
    var milliseconds: Int64 { Int64((timeIntervalSince1970 * 1000).rounded()) }

    init(milliseconds: Int64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }
}
