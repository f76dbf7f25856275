import Logging
import NIOCore
import RTP
import SDP
import SIPStack

/// Trunk calls on a media loop.
extension MediaLoop {
    /// Why the media of a trunk call could not be made.
    enum TrunkRefusal: Error, Sendable {
        case description(TrunkMediaError)
        /// All RTP ports are in use.
        case noPort
        /// The call ended meanwhile.
        case over
    }

    /// Makes the media of a phone's call.
    /// - Parameter offer: the phone's; nil when it left the offer to us
    /// - Returns: our answer, or our offer.
    func openTrunkCall(
        _ id: CallID, offer: String?, parameters: TrunkLeg.Parameters, logger: Logger, now: NIODeadline
    ) -> Result<String, TrunkRefusal> {
        guard let socket = environment.io.openTrunkPort() else { return .failure(.noPort) }
        var description = TrunkMediaSession(
            localAddress: parameters.localAddress, localPort: socket.number, codecs: parameters.codecs,
            telephoneEvent: parameters.sendsTelephoneEvents, sessionID: parameters.sessionID)
        let text: String
        var audio = NegotiatedAudio(assumedOf: parameters.codecs)
        do {
            if let offer {
                (text, audio) = try description.answer(offer: offer)
            } else {
                text = description.offer()
            }
        } catch {
            // A peer that sends nothing but nonsense must not use up the ports.
            environment.io.close(socket, wasTold: false)
            return .failure(.description(error))
        }
        var random = AnyGenerator(environment.randomness())
        let call = makeCall(id, now: now, logger: logger)
        let leg = TrunkLeg(
            parameters: parameters, socket: socket, description: description, audio: audio, isNegotiated: offer != nil,
            io: environment.io, table: table, events: call, logger: logger,
            port: { wire in
                RTPAudioPort(
                    audio: audio, wire: wire, opus: environment.opusFromAgent, cname: parameters.cname, using: &random, now: now)
            }, now: now)
        leg.port.lineSide = .caller
        call.adopt(leg)
        return .success(text)
    }

    /// Makes the media of a call that goes out by a trunk, in place of the far end the call had.
    /// - Parameter sip: of a phone that rings beside others
    /// - Returns: our offer.
    func openCallee(
        of call: MediaCall, parameters: TrunkLeg.Parameters, branch sip: SIPCallID? = nil, now: NIODeadline
    ) -> Result<String, TrunkRefusal> {
        guard !call.isEnding else { return .failure(.over) }
        guard let socket = environment.io.openTrunkPort() else { return .failure(.noPort) }
        var description = TrunkMediaSession(
            localAddress: parameters.localAddress, localPort: socket.number, codecs: parameters.codecs,
            telephoneEvent: parameters.sendsTelephoneEvents, sessionID: parameters.sessionID)
        let offer = description.offer()
        let assumed = NegotiatedAudio(assumedOf: parameters.codecs)
        var random = AnyGenerator(environment.randomness())
        let leg = TrunkLeg(
            parameters: parameters, socket: socket, description: description, audio: assumed, isNegotiated: false,
            io: environment.io, table: table, events: call, logger: call.logger,
            port: { wire in
                RTPAudioPort(
                    audio: assumed, wire: wire, opus: environment.opusFromTrunk, cname: parameters.cname, using: &random, now: now)
            }, now: now)
        leg.port.lineSide = .callee
        if let sip { call.adopt(branch: leg, of: sip, now: now) } else { call.adopt(callee: leg, now: now) }
        return .success(offer)
    }
}

extension NegotiatedAudio {
    /// Until the answer to an offer of these codecs comes: what a phone would send that answers with its sound first.
    init(assumedOf codecs: [AudioCodec]) {
        let first = codecs.first ?? .pcmu
        self.init(
            codec: first, payloadType: first.defaultPayloadType,
            receivePayloadTypes: Dictionary(codecs.map { ($0.defaultPayloadType, $0) }, uniquingKeysWith: { first, _ in first }))
    }
}
