import Foundation

/// A call as the API shows it (CONTRACT 5): the same for one that runs and for one that is over.
enum CallResource {
    /// - Parameters:
    ///   - state: the running call's; `ended` for a record.
    ///   - isWhole: with headers, turn of events and explanation, as a list has not.
    static func json(_ record: CallRecord, state: String = "ended", isWhole: Bool) -> JSONValue {
        var members: [String: JSONValue] = [
            "id": .string(record.id.description), "state": .string(state), "via": .string(record.via),
            "from": party(record.from), "to": party(record.to), "trunk_in": JSONValue(record.trunkIn), "route": JSONValue(record.route),
            "steps": .array(record.steps.map(step)), "legs": .array(record.legs.map(leg)),
            "started_at": JSONValue(record.startedAt), "ringing_at": JSONValue(record.ringingAt), "answered_at": JSONValue(record.answeredAt),
            "ended_at": JSONValue(record.endedAt), "cause": JSONValue(record.cause?.rawValue), "sip_code": JSONValue(record.sipCode),
            "detail": JSONValue(record.detail), "totals": totals(record),
            "recording": record.recording.map(recording) ?? .null, "answered_by": JSONValue(record.answeredBy),
        ]
        if isWhole {
            members["headers"] = .array(record.headers.map { ["name": .string($0.name), "value": .string($0.value)] })
            members["events"] = .array(record.events.map { ["at": JSONValue($0.at), "what": .string($0.what)] })
            members["explanation"] = record.explanation.map { JSONValue(parsing: $0.json) ?? .string($0.json) } ?? .null
        }
        return .object(members)
    }

    private static func party(_ party: CallRecord.Party) -> JSONValue {
        ["given": .string(party.given), "e164": .string(party.e164)]
    }

    private static func step(_ step: CallRecord.Step) -> JSONValue {
        [
            "kind": .string(step.kind), "target": JSONValue(step.target), "dialled": JSONValue(step.dialled), "outcome": .string(step.outcome),
            "sip_code": JSONValue(step.sipCode), "detail": JSONValue(step.detail),
        ]
    }

    private static func leg(_ leg: CallRecord.Leg) -> JSONValue {
        var members: [String: JSONValue] = [
            "kind": .string(leg.kind.rawValue), "name": JSONValue(leg.name), "codec": JSONValue(leg.codec), "address": JSONValue(leg.address),
            "packets_received": JSONValue(leg.packetsReceived), "packets_sent": JSONValue(leg.packetsSent), "lost": JSONValue(leg.lost),
            "jitter_ms": JSONValue(tenths(leg.jitterMilliseconds)), "rtt_ms": JSONValue(leg.roundTripMilliseconds.map(tenths)),
            "concealed_ms": JSONValue(leg.concealedMilliseconds), "recovered": JSONValue(leg.recovered), "mos": JSONValue(leg.meanOpinionScore),
            "echo_return_loss_db": JSONValue(leg.echoReturnLoss.map(tenths)), "echo_removed_db": JSONValue(leg.echoEnhancement.map(tenths)),
            "speech_level_dbfs": JSONValue(leg.speechLevel.map(tenths)), "gain_db": JSONValue(leg.gain.map(tenths)),
        ]
        if let turns = leg.turns { members["turns"] = self.turns(turns) }
        return .object(members)
    }

    private static func turns(_ turns: CallRecord.Turns) -> JSONValue {
        [
            "answers": JSONValue(turns.answers), "answer_ms": JSONValue(turns.agentMilliseconds + turns.gatewayMilliseconds),
            "agent_ms": JSONValue(turns.agentMilliseconds), "gateway_ms": JSONValue(turns.gatewayMilliseconds),
            "longest_ms": JSONValue(turns.longestMilliseconds), "interruptions": JSONValue(turns.interruptions),
            "played_ms": JSONValue(turns.playedMilliseconds), "dropped_ms": JSONValue(turns.droppedMilliseconds), "gaps": JSONValue(turns.gaps),
        ]
    }

    static func recording(_ recording: CallRecord.Recorded) -> JSONValue {
        ["file": .string(recording.file), "state": .string(recording.state.rawValue)]
    }

    private static func totals(_ record: CallRecord) -> JSONValue {
        let duration = record.endedAt.map { max(0, $0.milliseconds - record.startedAt.milliseconds) }
        return [
            "duration_ms": JSONValue(duration), "talk_ms": JSONValue(record.talkMilliseconds),
            "packets_received": JSONValue(record.legs.map(\.packetsReceived).reduce(0, +)),
            "packets_sent": JSONValue(record.legs.map(\.packetsSent).reduce(0, +)), "lost": JSONValue(record.legs.map(\.lost).reduce(0, +)),
            "concealed_ms": JSONValue(record.legs.map(\.concealedMilliseconds).reduce(0, +)),
        ]
    }

    private static func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}
