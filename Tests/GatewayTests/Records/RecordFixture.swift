import Foundation
import Logging

@testable import Gateway

/// A database of records in a folder of its own, removed with the value.
final class RecordFixture {
    let folder: String
    var path: String { folder + "/data/calls.db" }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("tandem-records-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func open(retentionDays: Int = 0) throws -> RecordStore {
        try RecordStore(path: path, retentionDays: retentionDays, logger: Self.logger)
    }

    static var logger: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    /// 2026-11-22T00:00:00Z.
    static let start = Date(timeIntervalSince1970: 1_795_305_600)

    static func id(_ number: Int) -> CallID { CallID(hexadecimal(0xCA11) + hexadecimal(UInt64(number)))! }

    /// The nth call, a minute after the one before; odd ones were answered for n seconds.
    static func call(_ number: Int, via: String = "acme") -> CallRecord {
        let started = start.addingTimeInterval(Double(number) * 60)
        var record = CallRecord(
            id: id(number), via: via, from: .init(given: "4155550100", e164: "+14155550100"),
            to: .init(given: "\(number)", e164: "+1415555\(1000 + number)"), startedAt: started)
        record.route = number.isMultiple(of: 3) ? nil : "support line"
        record.cause = number.isMultiple(of: 2) ? .noRoute : .callerHangup
        record.sipCode = record.cause?.sipStatus
        record.detail = record.cause?.sentence
        record.ringingAt = started.addingTimeInterval(0.125)
        if !number.isMultiple(of: 2) { record.answeredAt = started.addingTimeInterval(1) }
        record.endedAt = started.addingTimeInterval(1 + Double(number))
        return record
    }

    /// With something in every field.
    static func whole() -> CallRecord {
        var record = call(1)
        record.explanation = CallExplanation(json: #"{"route":"support line","tried":[]}"#)
        record.steps = [
            .init(kind: "trunk", target: "acme", dialled: "+14155550199", outcome: "busy", sipCode: 486, detail: "The called party is busy."),
            .init(kind: "agent", target: "demo", outcome: "answered"),
        ]
        record.recording = .init(file: "2026-11-22/call.wav", state: .finished)
        record.answeredBy = "human"
        record.account = "AC01"
        record.legs = [
            .init(
                kind: .trunk, name: "acme", codec: "PCMU", address: "198.51.*.*:4000", packetsReceived: 500, packetsSent: 499, lost: 3, jitterMilliseconds: 1.25,
                roundTripMilliseconds: 40.5, concealedMilliseconds: 60, recovered: 1),
            .init(kind: .agent, name: "demo"),
        ]
        record.headers = [.init(name: "X-Queue", value: "gold, \"best\"")]
        record.events = [.init(at: start.addingTimeInterval(60.5), what: "ringing"), .init(at: start.addingTimeInterval(61), what: "answered")]
        return record
    }
}
