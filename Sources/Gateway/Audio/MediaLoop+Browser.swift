import Logging
import NIOCore
import RTCStack
import RTP
import SDP

/// Browser calls on a media loop.
extension MediaLoop {
    /// Makes the media of a browser's call.
    func openBrowserCall(_ id: CallID, offer: BrowserOffer, logger: Logger, now: NIODeadline) -> BrowserCallAnswer {
        var random = AnyGenerator(environment.randomness())
        let credentials = ICECredentials.random(using: &random)
        let call = makeCall(id, now: now, logger: logger)
        let cname = id.description
        let session = random.next() >> 2
        let source = UInt32.random(in: .min ... .max, using: &random)
        let answer = offer.answer(answerParameters(credentials, session: session, source: source, cname: cname))
        let leg = BrowserLeg(
            offer: offer, answer: answer, credentials: credentials, environment: environment, table: table, events: call,
            cname: cname, logger: logger,
            port: { wire in
                RTPAudioPort(
                    audio: answer.audio, wire: wire, opus: environment.opusFromAgent, cname: cname, localSSRC: source, using: &random,
                    now: now)
            }, now: now)
        leg.descriptionID = session
        call.adopt(leg)
        return BrowserCallAnswer(call: id, sdp: answer.sdp, iceUfrag: credentials.ufrag)
    }

    /// Restarts ICE; nil for a call that is gone.
    func restartBrowserCall(_ id: CallID, remote: ICECredentials, now: NIODeadline) -> BrowserRestart? {
        guard let leg = calls[id]?.caller as? BrowserLeg else { return nil }
        var random = AnyGenerator(environment.randomness())
        let local = ICECredentials.random(using: &random)
        leg.restartICE(remote: remote, local: local, now: now)
        let fragment = TrickleFragment(
            restartedWith: local.ufrag, password: local.password, candidates: browserCandidates, mid: leg.mid)
        return BrowserRestart(ufrag: local.ufrag, fragment: fragment.text)
    }

    /// Answers a whole new offer of a running call, of which only the ICE part may differ; nil for a call that is gone.
    func reofferBrowserCall(_ id: CallID, offer: BrowserOffer, now: NIODeadline) -> BrowserCallAnswer? {
        guard let leg = calls[id]?.caller as? BrowserLeg else { return nil }
        if offer.iceUsernameFragment != leg.remoteUfrag {
            let remote = ICECredentials(ufrag: offer.iceUsernameFragment, password: offer.icePassword)
            guard restartBrowserCall(id, remote: remote, now: now) != nil else { return nil }
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
