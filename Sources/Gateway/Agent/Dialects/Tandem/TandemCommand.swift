import Foundation

/// A text message of the agent: the fields of all of them. Unknown fields are ignored.
struct TandemCommand: Decodable {
    var event: String
    var id: Int64?
    // accept
    var format: TandemFormat?
    /// The caller's sound, toward the agent.
    var `in`: TandemFormat?
    /// The agent's sound.
    var out: TandemFormat?
    var report_ms: Int64?
    var vad: VoiceDetection?
    var resumed: Bool?
    var caller_pts: Int64?
    var last_seq: Int64?
    // reject, hangup
    var sip_code: Int?
    var reason: String?
    var cause: String?
    var drain: Bool?
    // mark, clear
    var name: String?
    var gen: Int?
    // dtmf
    var digits: String?
    var duration_ms: Int?
    var gap_ms: Int?
    // transfer
    var to: String?
    var mode: String?
    var timeout_ms: Int?
    var complete: Bool?
    var cancel: Bool?
    // hold, mute
    var on: Bool?
    // message
    var content_type: String?
    var body: String?
    // set
    var gain_db: Double?

    enum VoiceDetection: String, Decodable {
        case off, report, interrupt

        var policy: BargeInPolicy {
            switch self {
            case .off: .off
            case .report: .report
            case .interrupt: .flush
            }
        }
    }

    /// Why a message is none.
    enum Failure: Error {
        case noJSON
        /// The field that has the wrong type or value.
        case badField(String, id: Int64?)
    }

    init(parsing text: Data) throws(Failure) {
        do {
            self = try JSONDecoder().decode(TandemCommand.self, from: text)
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
            throw Self.badField(context, text)
        } catch DecodingError.keyNotFound(let key, let context) {
            throw .badField((context.codingPath + [key]).map(\.stringValue).joined(separator: "."), id: Self.id(text))
        } catch DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty {
            throw Self.badField(context, text)
        } catch {
            throw .noJSON
        }
    }

    private static func badField(_ context: DecodingError.Context, _ text: Data) -> Failure {
        context.codingPath.isEmpty ? .noJSON : .badField(context.codingPath.map(\.stringValue).joined(separator: "."), id: id(text))
    }

    private static func id(_ text: Data) -> Int64? {
        struct Numbered: Decodable { var id: Int64 }
        return (try? JSONDecoder().decode(Numbered.self, from: text))?.id
    }
}
