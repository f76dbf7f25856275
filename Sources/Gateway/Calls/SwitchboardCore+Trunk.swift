import Dialplan
import Foundation
import NIOCore
import RTP
import SDP
import SIPStack

/// Calls of phones.
extension SwitchboardCore {
    func handle(_ output: SIPOutput) {
        switch output {
        case .incoming(let incoming): invite(incoming)
        case .acknowledged(let sip, let answer): acknowledged(sip, answer)
        case .cancelled(let sip): end(sip, CallEnd(.callerHangup))
        case .reoffer(let sip, let offer): reoffer(sip, offer)
        case .info(let sip, let contentType, let body): info(sip, contentType, body)
        case .message(let message): textReceived(message)
        case .textRefused(let sip, let reference, let status): textRefused(sip, reference, status)
        case .referral(let sip, let state): referral(sip, state)
        case .progress(let sip, let status, let answer, _): progressed(sip, status: status, answer: answer)
        case .answered(let sip, let answer, _): answered(sip, answer)
        case .failed(let sip, let failure): failed(sip, failure)
        case .ended(let sip, let end): ended(sip, end)
        case .send, .close: break
        }
    }

    private func invite(_ incoming: SIPIncomingCall) {
        guard let trunk = settings.configuration.trunk(for: incoming.flow.remote.host) else {
            logger.info("INVITE from a source that is no trunk refused")
            recordStranger(incoming)
            return outlets.sip { $0.reject(incoming.id, status: 403, now: $1, into: &$2) }
        }
        let caller = incoming.assertedIdentity ?? incoming.from
        let decision = settings.plan.route(
            CallQuery(
                via: .trunk(trunk.name), from: caller.user, to: incoming.requested.user,
                headers: incoming.headers.map { ($0.name, $0.value) }, time: now()))
        let headers = CallRecord.routable(incoming.headers.map { ($0.name, $0.value) })
        let id = makeID()
        if let end = admit() ?? limits.admit(id, from: trunk, now: uptime())?.end {
            logger.info("INVITE refused: \(end.detail)", metadata: ["trunk": "\(trunk.name)"])
            recordRefusal(id, via: trunk.name, decision: decision, headers: headers, end)
            return refuse(incoming.id, end)
        }
        var entry = enter(id, .trunk(incoming.id, trunk: trunk.name), decision: decision, parameters: [:])
        entry.maxForwards = incoming.onwardMaxForwards
        entry.path = incoming.path
        entry.withholdsNumber = incoming.withholdsNumber
        entry.hasOffer = incoming.offer != nil
        entry.record.headers = headers
        keep(entry)
        logStart(entry, via: trunk.name)
        guard decision.route != nil else { return update(entry.id) { $0.end(CallEnd(.noRoute), into: &$1) } }
        if case .reject? = decision.steps.first { return update(entry.id) { $0.begin(into: &$1) } }
        prepare(incoming, trunk, entry)
    }

    private func prepare(_ incoming: SIPIncomingCall, _ trunk: Trunk, _ entry: CallEntry) {
        var entry = entry
        entry.hasMedia = true
        keep(entry)
        let (id, logger, outlets, offer) = (entry.id, entry.logger, outlets, incoming.offer)
        let peer = TransportAddress(host: incoming.flow.remote.host, port: incoming.flow.remote.port)
        outlets.media(entry.loop) { loop, now in
            let parameters = TrunkLeg.Parameters(
                trunk: trunk, call: id, signallingPeer: peer, localAddress: loop.environment.trunkAddress, now: now)
            outlets.post(.trunkPrepared(id, loop.openTrunkCall(id, offer: offer, parameters: parameters, logger: logger, now: now)))
        }
    }

    func trunkPrepared(_ id: CallID, _ result: Result<String, MediaLoop.TrunkRefusal>) {
        guard var entry = entries[id] else { return }
        switch result {
        case .success(let description):
            entry.description = description
            keep(entry)
            update(id) { $0.begin(into: &$1) }
        case .failure(let refusal):
            entry.hasMedia = false
            keep(entry)
            if entry.call.isEnding { return handle(.media(id, .released(MediaFigures()))) }
            update(id) { $0.end(end(for: refusal), into: &$1) }
        }
    }

    func end(for refusal: MediaLoop.TrunkRefusal) -> CallEnd {
        switch refusal {
        case .description(let error): CallEnd(.failed, sipStatus: error.sipStatus, detail: error.description)
        case .noPort: CallEnd(.overload, detail: "All RTP ports are in use.")
        case .over: CallEnd(.failed)
        }
    }

    private func acknowledged(_ sip: SIPCallID, _ answer: String?) {
        guard let entry = entry(of: sip) else { return }
        let (id, isCallee, outlets) = (entry.id, entry.isCallee(sip), outlets)
        outlets.media(entry.loop) { loop, now in
            loop.perform(on: id, now: now) { call in
                guard let leg = call.trunkLeg(of: sip) else { return }
                if let answer {
                    do throws(TrunkMediaError) { try leg.accept(answer: answer, now: now) } catch {
                        let end = CallEnd(.failed, sipStatus: error.sipStatus, detail: error.description)
                        return outlets.post(.media(id, isCallee ? .calleeEnded(end) : .callerEnded(end)))
                    }
                }
                guard leg.isNegotiated else {
                    // Our 200 made an offer, so nobody knows where the sound is to go.
                    let end = CallEnd(.failed, sipStatus: 488, detail: "The phone's ACK brought no answer to our offer.")
                    return outlets.post(.media(id, .callerEnded(end)))
                }
                leg.acknowledged()
                call.sessionChanged(of: leg)
            }
        }
    }

    private func reoffer(_ sip: SIPCallID, _ offer: String?) {
        guard let entry = entry(of: sip) else { return }
        let (id, outlets) = (entry.id, outlets)
        outlets.media(entry.loop) { loop, now in
            loop.perform(on: id, now: now) { call in
                guard let leg = call.trunkLeg(of: sip) else { return }
                guard let offer else { return outlets.post(.reoffered(id, sip, .success(leg.offer()))) }
                let result = Result { () throws(TrunkMediaError) in try leg.reoffer(offer, now: now) }
                call.sessionChanged(of: leg)
                outlets.post(.reoffered(id, sip, result))
            }
        }
    }

    func reoffered(_ id: CallID, _ sip: SIPCallID, _ result: Result<String, TrunkMediaError>) {
        guard let entry = entries[id], bySIP[sip] == id else { return }
        switch result {
        case .success(let description):
            entry.logger.debug("re-INVITE answered")
            note(sip.isOutgoing ? "The called party changed its session." : "The caller changed its session.", id)
            outlets.sip { $0.answerReoffer(sip, sdp: description, now: $1, into: &$2) }
        case .failure(let error):
            entry.logger.info("re-INVITE refused: \(error.description)")
            outlets.sip { $0.rejectReoffer(sip, status: error.sipStatus, now: $1, into: &$2) }
        }
    }

    /// DTMF by INFO, as older phones send it: `Signal=5` (application/dtmf-relay) or the bare digit (application/dtmf).
    /// Anything else that is text is for the agent.
    private func info(_ sip: SIPCallID, _ contentType: String, _ body: [UInt8]) {
        guard let entry = entry(of: sip), entry.call.isAnswered else { return }
        let (id, isCallee) = (entry.id, entry.isCallee(sip))
        guard let digit = Self.digit(contentType, body) else { return text(contentType, body, from: sip, entry) }
        outlets.media(entry.loop) { loop, now in
            loop.perform(on: id, now: now) { $0.pressed(digit.from(.info), byCallee: isCallee, now: now) }
        }
    }

    private func text(_ contentType: String, _ body: [UInt8], from sip: SIPCallID, _ entry: CallEntry) {
        let kind = contentType.lowercased()
        guard kind.hasPrefix("text/") || kind.hasPrefix("application/json"), let text = String(validating: body, as: UTF8.self) else { return }
        deliver(CallMessage(contentType: contentType, body: text), from: sip, entry)
    }

    /// A key to a phone that gets them by INFO.
    func signal(_ digit: Digit, _ milliseconds: Int, toCallee: Bool, _ id: CallID) {
        guard let entry = entries[id], let sip = toCallee ? entry.callee?.sip : entry.sipCall else { return }
        let body = Array("Signal=\(digit.character)\r\nDuration=\(milliseconds)\r\n".utf8)
        outlets.sip { $0.sendInfo(sip, contentType: "application/dtmf-relay", body: body, now: $1, into: &$2) }
    }

    private static func digit(_ contentType: String, _ body: [UInt8]) -> Digit? {
        let type = contentType.lowercased().prefix { $0 != ";" && $0 != " " }
        guard type == "application/dtmf-relay" || type == "application/dtmf" else { return nil }
        let text = String(decoding: body.prefix(256), as: UTF8.self)
        let line = text.split(whereSeparator: \.isNewline).first { $0.lowercased().hasPrefix("signal") }
        guard line != nil || type == "application/dtmf" else { return nil }
        let key = (line?.split(separator: "=").last ?? text[...]).filter { !$0.isWhitespace }
        // Some phones write the event codes of RFC 4733: 10 is the star, and 16 no key but a hook flash.
        if key.utf8.count > 1, let code = UInt8(key) { return Digit(event: code) }
        return key.first.flatMap(Digit.init)
    }

    private func ended(_ sip: SIPCallID, _ end: SIPEnd) {
        guard let entry = entry(of: sip) else { return }
        if entry.isCallee(sip) { return calleeEnded(sip, end) }
        switch end {
        case .hungUp: self.end(sip, CallEnd(entry.isOutbound ? .calleeHangup : .callerHangup))
        case .noAcknowledgement:
            self.end(sip, CallEnd(.connectionLost, detail: "The phone never acknowledged the answer to its call."))
        case .transportLost: self.end(sip, CallEnd(.connectionLost, detail: "The phone's SIP connection broke."))
        }
    }

    private func end(_ sip: SIPCallID, _ end: CallEnd) {
        guard let entry = entry(of: sip) else { return }
        update(entry.id) { $0.end(end, tellCaller: false, into: &$1) }
    }

    func logStart(_ entry: CallEntry, via: String) {
        entry.logger.info(
            "call",
            metadata: [
                "via": "\(via)", "from": "\(Redacted(number: entry.decision.from.e164))",
                "to": "\(Redacted(number: entry.decision.to.e164))", "route": "\(entry.decision.route?.name ?? "none")",
            ])
        entry.logger.debug("route: \(CallExplanation(entry.decision).line)")
    }
}
