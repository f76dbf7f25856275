import Foundation

/// Goes through a TwiML document for one call: the end of a verb in, what to do next out.
struct TwiMLScript: Sendable {
    enum Action: Sendable, Equatable {
        case stream(TwiML.Stream)
        case dial(TwiML.Dial)
        /// The WAV file at this address.
        case play(url: String)
        case pause(seconds: Int)
        /// Another document, asked with these fields beside the call's.
        case fetch(url: String, isGet: Bool, fields: [FormField])
        case end(CallEnd)
        /// The agent is gone and the document says no more: the route's next step takes over.
        case leave(CallEnd)
    }

    /// Whose account and token sign, and whose configured address a stream without one takes.
    let agent: String
    /// The document's own address; nil for one that came by REST.
    let base: String?
    private var verbs: ArraySlice<TwiML.Verb>
    /// The verb that is carried out.
    private(set) var current: TwiML.Verb?
    /// Documents asked for in a row, without anything that the caller hears between them.
    private var redirects: Int

    /// More redirects in a row are a loop.
    static let mostRedirects = 10

    /// - Parameter predecessor: the script whose `<Redirect>` or `action` asked for this document.
    init(_ document: TwiML, agent: String, base: String?, after predecessor: TwiMLScript? = nil) {
        self.agent = agent
        self.base = base
        verbs = document.verbs[...]
        redirects = predecessor?.redirects ?? 0
    }

    /// - Parameter outcome: how the verb before ended; nil for one that was carried out to its end.
    mutating func next(after outcome: CallEnd? = nil) -> Action {
        if case .dial(let dial) = current, let action = dial.action {
            current = nil
            return fetch(action, fields: [FormField("DialCallStatus", Self.dialStatus(outcome))])
        }
        let wasStream = if case .connect = current { true } else { false }
        guard let verb = verbs.popFirst() else {
            current = nil
            let end = outcome ?? CallEnd(.agentHangup, detail: "The TwiML document came to its end.")
            return wasStream && [.agentLost, .agentUnavailable].contains(end.reason) ? .leave(end) : .end(end)
        }
        current = verb
        if case .redirect(let request) = verb { return fetch(request, fields: []) }
        redirects = 0
        switch verb {
        case .connect(let stream): return .stream(stream)
        case .dial(let dial): return .dial(dial)
        case .play(let url, let times):
            if times > 1 { verbs = [.play(url: url, times: times - 1)] + verbs }
            guard let url = Self.resolve(url, base) else {
                return .end(CallEnd(.failed, detail: "The URL of <Play> is none."))
            }
            return .play(url: url)
        case .pause(let seconds): return .pause(seconds: seconds)
        case .hangUp, .redirect: return .end(CallEnd(.agentHangup, detail: "The TwiML document hung up."))
        case .reject(let status):
            return .end(CallEnd(status == 486 ? .busy : .rejected, sipStatus: status, detail: "The TwiML document rejected the call."))
        }
    }

    private mutating func fetch(_ request: TwiML.Request, fields: [FormField]) -> Action {
        redirects += 1
        guard redirects <= Self.mostRedirects else { return .end(CallEnd(.failed, detail: "The TwiML documents redirect in a circle.")) }
        guard let url = Self.resolve(request.url, base) else { return .end(CallEnd(.failed, detail: "The URL of a TwiML redirect is none.")) }
        return .fetch(url: url, isGet: request.isGet, fields: fields)
    }

    /// An address as written in a document (RFC 3986 section 5).
    static func resolve(_ url: String, _ base: String?) -> String? {
        let resolved = url.isEmpty ? base : URL(string: url, relativeTo: base.flatMap { URL(string: $0) })?.absoluteString
        return resolved.flatMap { WebClient.place(of: $0) == nil ? nil : $0 }
    }

    /// Twilio's word for how a dialled party did.
    static func dialStatus(_ outcome: CallEnd?) -> String {
        switch outcome?.reason {
        case nil, .calleeHangup, .agentHangup: "completed"
        case .busy, .rejected: "busy"
        case .noAnswer: "no-answer"
        default: "failed"
        }
    }
}
