import Dialplan
import NIOCore
import RTP
import SIPStack

/// Calls that are refused at once: they never become entries, but leave a record that says why.
extension SwitchboardCore {
    /// More refusals in a second are only logged and counted: a flood of calls must not fill the database.
    static let refusalsRecordedPerSecond = 20

    /// Records a call that was refused, with where the plan sends it.
    func recordRefusal(_ id: CallID, via: String, decision: RouteDecision, headers: [CallRecord.Header] = [], _ end: CallEnd) {
        var record = CallRecord(id, via: via, decision: decision, startedAt: now())
        record.headers = headers
        recordRefusal(record, end)
    }

    /// Records an INVITE from an address that is no trunk's. No plan was asked: nothing of it is to be believed.
    func recordStranger(_ incoming: SIPIncomingCall) {
        func party(_ user: String) -> CallRecord.Party { .init(given: user, e164: user) }
        let record = CallRecord(
            id: makeID(), via: CallRecord.stranger, from: party(incoming.from.user), to: party(incoming.requested.user), startedAt: now())
        let source = TransportAddress(host: incoming.flow.remote.host, port: incoming.flow.remote.port).map { "\(Redacted($0))" }
        recordRefusal(record, CallEnd(.refused, detail: "The address \(source ?? "of the caller") belongs to no trunk: no accept_from has it."))
    }

    private func recordRefusal(_ record: CallRecord, _ end: CallEnd) {
        let second = uptime().uptimeNanoseconds / 1_000_000_000
        if refusals.second != second { refusals = (second, 0) }
        refusals.count += 1
        guard refusals.count <= Self.refusalsRecordedPerSecond else { return }
        var record = record
        record.finish(end, at: now(), media: nil)
        records(record)
    }
}
