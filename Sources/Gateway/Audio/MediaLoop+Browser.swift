import Logging
import NIOCore
import RTCStack
import RTP
import SDP
import Transcode

/// Browser calls on a media loop.
extension MediaLoop {
    /// Makes the media of a browser's call.
    func openBrowserCall(_ id: CallID, offer: BrowserOffer, logger: Logger, now: NIODeadline) -> BrowserCallAnswer {
        let call = makeCall(id, now: now, logger: logger)
        let (leg, sdp) = makeBrowserLeg(of: call, cname: id.description, offer: offer, opus: environment.opusFromAgent, now: now)
        call.adopt(leg)
        return BrowserCallAnswer(call: id, sdp: sdp, iceUfrag: leg.credentials.ufrag)
    }

    /// Makes the leg of a browser at which a user accepted a call; nil for a call that is gone.
    func openUserLeg(of id: CallID, invitation: CallID, offer: BrowserOffer, now: NIODeadline) -> BrowserCallAnswer? {
        guard let call = calls[id], !call.isEnding else { return nil }
        let opus = call.caller is TrunkLeg ? environment.opusFromTrunk : environment.opusFromAgent
        let (leg, sdp) = makeBrowserLeg(of: call, cname: invitation.description, offer: offer, opus: opus, now: now)
        call.adopt(user: leg)
        expects(now)
        return BrowserCallAnswer(call: invitation, sdp: sdp, iceUfrag: leg.credentials.ufrag)
    }

    private func makeBrowserLeg(
        of call: MediaCall, cname: String, offer: BrowserOffer, opus: OpusEncoder.Settings, now: NIODeadline
    ) -> (leg: BrowserLeg, sdp: String) {
        var random = AnyGenerator(environment.randomness())
        let credentials = ICECredentials.random(using: &random)
        let session = random.next() >> 2
        let source = UInt32.random(in: .min ... .max, using: &random)
        let answer = offer.answer(answerParameters(credentials, session: session, source: source, cname: cname))
        let leg = BrowserLeg(
            offer: offer, answer: answer, credentials: credentials, environment: environment, table: table, events: call,
            cname: cname, logger: call.logger,
            port: { wire in
                RTPAudioPort(audio: answer.audio, wire: wire, opus: opus, cname: cname, localSSRC: source, using: &random, now: now)
            }, now: now)
        leg.descriptionID = session
        leg.port.controlsGain = environment.controlsBrowserGain
        return (leg, answer.sdp)
    }

    /// Restarts ICE; nil for a call that is gone.
    func restartBrowserCall(_ id: CallID, remote: ICECredentials, now: NIODeadline) -> BrowserRestart? {
        guard let leg = calls[id]?.caller as? BrowserLeg else { return nil }
        return restart(leg, remote: remote, now: now)
    }

    private func restart(_ leg: BrowserLeg, remote: ICECredentials, now: NIODeadline) -> BrowserRestart {
        var random = AnyGenerator(environment.randomness())
        let local = ICECredentials.random(using: &random)
        leg.restartICE(remote: remote, local: local, now: now)
        let fragment = TrickleFragment(
            restartedWith: local.ufrag, password: local.password, candidates: browserCandidates, mid: leg.mid)
        return BrowserRestart(ufrag: local.ufrag, fragment: fragment.text)
    }

    /// Answers a whole new offer of a running call, of which only the ICE part may differ; nil for a call that is gone.
    /// - Parameter isCallee: it is the far end's
    func reofferBrowserCall(_ id: CallID, isCallee: Bool, offer: BrowserOffer, now: NIODeadline) -> BrowserCallAnswer? {
        guard let call = calls[id], let leg = (isCallee ? call.callee : call.caller) as? BrowserLeg else { return nil }
        if offer.iceUsernameFragment != leg.remoteUfrag {
            let remote = ICECredentials(ufrag: offer.iceUsernameFragment, password: offer.icePassword)
            _ = restart(leg, remote: remote, now: now)
        }
        leg.descriptionVersion += 1
        var parameters = answerParameters(
            leg.credentials, session: leg.descriptionID, source: leg.port.localSSRC, cname: id.description)
        parameters.sessionVersion = leg.descriptionVersion
        parameters.dtlsRole = leg.dtlsRole
        let answer = offer.answer(parameters)
        leg.port.renegotiate(answer.audio, now: now)
        return BrowserCallAnswer(call: id, sdp: answer.sdp, iceUfrag: leg.credentials.ufrag)
    }

    private var browserCandidates: [BrowserCandidate] {
        let port = Int(environment.io.browserAddress.port)
        return environment.candidates.map { BrowserCandidate(address: $0, port: port) }
    }

    private func answerParameters(
        _ credentials: ICECredentials, session: UInt64, source: UInt32, cname: String
    ) -> BrowserAnswerParameters {
        BrowserAnswerParameters(
            localUfrag: credentials.ufrag, localPassword: credentials.password, fingerprint: environment.certificate.fingerprint.text,
            candidates: browserCandidates, sessionID: session, localSSRC: source, cname: cname)
    }
}

/// A generator whose type was erased, for functions that want a concrete one.
struct AnyGenerator: RandomNumberGenerator {
    private var base: any RandomNumberGenerator

    init(_ base: any RandomNumberGenerator) { self.base = base }

    mutating func next() -> UInt64 { base.next() }
}
