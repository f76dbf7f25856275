import NIOCore
import SIPStack

/// Far ends of a call that come and go: phones that are called, sounds, and what the caller hears until the next one is there.
extension MediaCall {
    /// The leg of a phone that is being called, in place of the far end there was; an agent that gives the call away stays until
    /// the phone answers.
    func adopt(callee leg: TrunkLeg, now: NIODeadline) {
        if isTransferring, agent != nil { dropCandidate(now: now) } else { bridgeTheWait(now: now) }
        callee = leg
    }

    /// The callee's description, before its answer or with it.
    func takeAnswer(_ answer: String, isFinal: Bool, now: NIODeadline) -> Result<Void, TrunkMediaError> {
        guard let callee = callee as? TrunkLeg else { return .failure(.notAcceptable("the call ended meanwhile")) }
        return Result { () throws(TrunkMediaError) in try callee.takeAnswer(answer, isFinal: isFinal, now: now) }
    }

    /// The far end that was called does not take the call.
    func dropCallee(now: NIODeadline) {
        dropBranches(now: now)
        guard callee != nil || userWait != nil else { return }
        if isTransferring, agent != nil { closeCallee(now: now) } else { bridgeTheWait(now: now) }
    }

    /// The far end there was is gone, and the next one not there yet.
    func bridgeTheWait(now: NIODeadline) {
        let end = isTransferring ? CallEnd(.transferred) : CallEnd(.failed)
        if isWaiting {
            dropBranches(now: now)
            closeCallee(now: now)
            dropCandidate(now: now)
            if let agent { dismiss(agent, end, now: now) }
            return
        }
        dropFarEnd(end, now: now)
        guard hasHeardAgent, !isEnding else { return }
        sound = SoundPlayer(.waiting)
        isWaiting = true
        want(.sound, now: now)
    }

    /// Plays a sound to the caller, in place of the far end there was; `played` is reported at its end.
    func play(_ sound: SoundPlayer.Sound, now: NIODeadline) {
        dropFarEnd(isTransferring ? CallEnd(.transferred) : CallEnd(.failed), now: now)
        guard !isEnding else { return }
        self.sound = SoundPlayer(sound)
        want(.sound, now: now)
    }

    /// The far end rings: the caller hears it, unless the far end is heard already.
    func ringback(_ tone: CallProgressTone, now: NIODeadline) {
        if isWaiting { dropSound() }
        guard bridge == nil, sound == nil, !isEnding else { return }
        sound = SoundPlayer(.tone(tone, milliseconds: nil))
        want(.sound, now: now)
    }
}
