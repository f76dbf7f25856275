import Foundation

/// A message of the gateway on the signal socket (CONTRACT section 6).
enum SignalReply: Equatable {
    /// The call was taken, or taken over by `resume`.
    case session(id: CallID)
    case answer(sdp: String)
    case ringing
    case connected
    /// A text of the agent.
    case message(CallMessage)
    case ended(CallEnd)
    /// The user can be called here.
    case registered(user: String)
    case incoming(IncomingCall)
    /// An incoming call is over before it was accepted here: `ended` with its name.
    case incomingOver(CallID, CallEnd)
    /// How the browser's leg does.
    case stats(SignalStatistics.Report)
    /// `code` as the HTTP status would be; `detail` says what to do.
    case error(code: Int, detail: String)

    /// How long a call waits for a lost socket to come back.
    static let resumeSeconds = 30

    /// The bytes of the text message.
    /// - Parameter iceServers: what `session` tells the browser.
    func json(iceServers: @autoclosure () -> [ICEServer]) -> Data {
        var members = Members(type: type)
        switch self {
        case .session(let id):
            members.id = id.description
            members.ice_servers = iceServers()
            members.resume_seconds = Self.resumeSeconds
        case .answer(let sdp):
            members.sdp = sdp
        case .ended(let end): members.add(end)
        case .registered(let user): members.user = user
        case .incoming(let incoming):
            members.call = incoming.invitation.description
            members.from = incoming.from
            members.to = incoming.to
            members.parameters = incoming.parameters.isEmpty ? nil : incoming.parameters
        case .incomingOver(let call, let end):
            members.call = call.description
            members.add(end)
        case .message(let message):
            members.content_type = message.contentType
            members.body = message.body
        case .stats(let report):
            members.codec = report.codec
            members.rtt_ms = report.rtt_ms
            members.mos = report.mos
            members.received = report.received
            members.sent = report.sent
        case .error(let code, let detail):
            members.code = code
            members.detail = detail
        case .ringing, .connected:
            break
        }
        return JSONText.encode(members)
    }

    private var type: String {
        switch self {
        case .session: "session"
        case .answer: "answer"
        case .ringing: "ringing"
        case .connected: "connected"
        case .message: "message"
        case .ended, .incomingOver: "ended"
        case .registered: "registered"
        case .incoming: "incoming"
        case .stats: "stats"
        case .error: "error"
        }
    }

    private struct Members: Encodable {
        var type: String
        var id: String?
        var ice_servers: [ICEServer]?
        var resume_seconds: Int?
        var sdp: String?
        var cause: String?
        var sip_code: Int?
        var content_type: String?
        var body: String?
        var code: Int?
        var detail: String?
        var call: String?
        var user: String?
        var from: String?
        var to: String?
        var parameters: [String: String]?
        var codec: String?
        var rtt_ms: Double?
        var mos: Double?
        var received: SignalStatistics.Way?
        var sent: SignalStatistics.Way?

        mutating func add(_ end: CallEnd) {
            cause = end.reason.rawValue
            sip_code = end.sipStatus
            detail = end.detail
        }
    }
}
