import Dialplan
import Foundation

/// A message of the browser on the signal socket (CONTRACT section 6).
enum SignalRequest: Equatable {
    case call(to: String, sdp: String, parameters: [String: String])
    /// Accepted and not needed: an ICE-lite agent answers where checks come from.
    case candidate
    case restart(sdp: String)
    case dtmf(digits: String)
    case mute(on: Bool)
    /// A text for the agent.
    case message(CallMessage)
    case hangup
    case resume(session: String)
    /// A user can be called at this socket.
    case register(user: String)
    /// Takes an incoming call.
    case accept(call: String, sdp: String)
    /// With a SIP status.
    case decline(call: String, status: Int)

    /// Digits of one message at most.
    static let digitsLimit = 128
    /// Bytes of one text for the agent at most.
    static let messageLimit = 64 << 10

    /// What `decline` says without a code: Decline (RFC 3261 21.6.2).
    static let declined = 603

    /// Why a message cannot be taken: a sentence.
    struct Refusal: Error, Equatable {
        var detail: String
    }

    /// The members of all messages; which are there depends on the type. `token` is not looked at yet.
    private struct Members: Decodable {
        var type: String
        var to: String?
        var sdp: String?
        var parameters: [String: String]?
        var digits: String?
        var on: Bool?
        var session: String?
        var content_type: String?
        var body: String?
        var user: String?
        var call: String?
        var code: Int?
    }

    /// - Parameter text: one text message.
    init(parsing text: some Collection<UInt8>) throws(Refusal) {
        let members: Members
        do {
            members = try JSONDecoder().decode(Members.self, from: Data(text))
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
            let name = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw Refusal(detail: name.isEmpty ? "Send one JSON object per message." : "The member \(Self.shown(name)) has the wrong type.")
        } catch DecodingError.keyNotFound {
            throw Refusal(detail: "Every message needs a type.")
        } catch {
            throw Refusal(detail: "The message is no JSON.")
        }
        switch members.type {
        case "call":
            let to = try Self.need(members.to, "to", in: "call"), sdp = try Self.need(members.sdp, "sdp", in: "call")
            let parameters = members.parameters ?? [:]
            do {
                try CallParameters.check(destination: to)
                try CallParameters.check(parameters)
            } catch {
                throw Refusal(detail: error.detail)
            }
            self = .call(to: to, sdp: sdp, parameters: parameters)
        case "candidate": self = .candidate
        case "restart": self = .restart(sdp: try Self.need(members.sdp, "sdp", in: "restart"))
        case "dtmf":
            let digits = try Self.need(members.digits, "digits", in: "dtmf")
            guard digits.utf8.count <= Self.digitsLimit else { throw Refusal(detail: "Send at most \(Self.digitsLimit) digits at once.") }
            self = .dtmf(digits: digits)
        case "mute": self = .mute(on: try Self.need(members.on, "on", in: "mute"))
        case "message":
            let body = try Self.need(members.body, "body", in: "message")
            guard body.utf8.count <= Self.messageLimit else { throw Refusal(detail: "Send at most \(Self.messageLimit) bytes in one message.") }
            self = .message(CallMessage(contentType: members.content_type ?? "text/plain", body: body))
        case "hangup": self = .hangup
        case "resume": self = .resume(session: try Self.need(members.session, "session", in: "resume"))
        case "register":
            let user = try Self.need(members.user, "user", in: "register")
            guard BrowserStep.isName(user) else {
                throw Refusal(detail: "A user's name has 1 to \(BrowserStep.longestName) bytes, none of them control characters.")
            }
            self = .register(user: user)
        case "accept":
            self = .accept(call: try Self.need(members.call, "call", in: "accept"), sdp: try Self.need(members.sdp, "sdp", in: "accept"))
        case "decline":
            let status = members.code ?? Self.declined
            guard (400...699).contains(status) else { throw Refusal(detail: "The code of a decline message is a SIP status, 400 to 699.") }
            self = .decline(call: try Self.need(members.call, "call", in: "decline"), status: status)
        default:
            throw Refusal(detail: "There is no message of type \(Self.shown(members.type)).")
        }
    }

    private static func need<Value>(_ value: Value?, _ name: String, in type: String) throws(Refusal) -> Value {
        guard let value else { throw Refusal(detail: "A \(type) message needs \(name).") }
        return value
    }

    /// What came from outside is shown shortened.
    private static func shown(_ text: String) -> String {
        "\"\(text.prefix(40))\""
    }
}
