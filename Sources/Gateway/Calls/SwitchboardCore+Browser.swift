import Dialplan
import NIOCore
import RTCStack

/// Calls of browsers.
extension SwitchboardCore {
    /// The caller id of a browser that did not sign in.
    private static let anonymousBrowser = "browser"

    func offer(_ request: BrowserCallRequest, _ reply: @escaping SwitchboardEvent.BrowserReply) {
        let decision = settings.plan.route(
            CallQuery(via: .browser, from: Self.anonymousBrowser, to: request.to, time: now()))
        func refuse(_ end: CallEnd, status: Int, _ detail: String) {
            recordRefusal(makeID(), via: "browser", decision: decision, end)
            self.logger.info("browser call refused: \(detail)", metadata: ["cause": "\(end.reason.rawValue)"])
            reply(.failure(BrowserCallRefusal(httpStatus: status, end: end, detail: detail)))
        }
        if let end = admit() { return refuse(end, status: end.reason.httpStatus, end.detail) }
        guard decision.route != nil else {
            let end = CallEnd(.noRoute)
            return refuse(end, status: 404, "No route leads there: see the dial plan, or ask its administrator.")
        }
        if case .reject(let code)? = decision.steps.first {
            let end = CallEnd(.rejected, sipStatus: code, detail: "The dial plan rejects the call.")
            return refuse(end, status: code == 404 ? 404 : code >= 500 && code < 600 ? 503 : 403, end.detail)
        }
        let offer: BrowserOffer
        do { offer = try BrowserOffer(parsing: request.sdp) } catch {
            return refuse(CallEnd(.failed, sipStatus: error.httpStatus == 406 ? 488 : 400), status: error.httpStatus, error.description)
        }
        var entry = enter(
            makeID(), .browser(observer: request.observer), decision: decision, parameters: request.parameters, hearsFailureTones: request.hearsTones)
        entry.reply = reply
        entry.hasMedia = true
        keep(entry)
        logStart(entry, via: "browser")
        let (id, callLogger, outlets) = (entry.id, entry.logger, outlets)
        outlets.media(entry.loop) { loop, now in
            outlets.post(.browserPrepared(id, loop.openBrowserCall(id, offer: offer, logger: callLogger, now: now)))
        }
    }

    func browserPrepared(_ id: CallID, _ answer: BrowserCallAnswer) {
        guard var entry = entries[id] else { return }
        let reply = entry.reply
        entry.reply = nil
        keep(entry)
        reply?(.success(answer))
        update(id) { $0.begin(into: &$1) }
    }
}
