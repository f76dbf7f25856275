import NIOCore
import SIPStack

/// The legs of phones that ring at once, until one of them is the callee. Nothing is heard of them before.
struct MediaBranches {
    var legs: [SIPCallID: TrunkLeg] = [:]
    /// The one that became the callee.
    var picked: SIPCallID?
}

extension MediaCall {
    /// The leg of a phone that rings beside others.
    func adopt(branch leg: TrunkLeg, of sip: SIPCallID, now: NIODeadline) {
        if branches.legs.isEmpty, callee == nil, !isTransferring || agent == nil { dropFarEnd(CallEnd(.failed), now: now) }
        branches.legs[sip] = leg
    }

    /// The phone that answered first is the callee.
    func pick(_ sip: SIPCallID, now: NIODeadline) {
        guard let leg = branches.legs.removeValue(forKey: sip) else { return }
        closeCallee(now: now)
        callee = leg
        branches.picked = sip
    }

    /// One of the phones does not take the call.
    func drop(_ sip: SIPCallID, now: NIODeadline) {
        if let leg = branches.legs.removeValue(forKey: sip) {
            leg.close(now: now, wallClock: loop.environment.wallClock())
        } else if branches.picked == sip {
            branches.picked = nil
            closeCallee(now: now)
        }
    }

    /// None of those that ring does.
    func dropBranches(now: NIODeadline) {
        for sip in branches.legs.keys { drop(sip, now: now) }
    }
}
