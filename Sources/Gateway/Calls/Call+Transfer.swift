import Dialplan

/// A call that is given to somebody else: by the gateway, which tries other far ends while the agent talks on, or by the caller's own
/// phone, which is asked to call (REFER).
extension Call {
    /// The call is given to somebody else.
    /// - Parameters:
    ///   - steps: tried in order, in place of those of the route
    ///   - keepsAgent: the agent talks on until a far end takes the call, and keeps it if none does
    ///   - consults: the agent talks with whoever answers before the caller does
    mutating func transfer(to steps: [Step], keepsAgent: Bool, consults: Bool = false, into out: inout [Command]) {
        guard state == .connected else { return }
        self.steps = steps[...]
        self.consults = consults
        scripted = nil
        lastFailure = nil
        state = keepsAgent ? .transferring : .recovering
        out.append(keepsAgent ? .transfer : .dropFarEnd)
        if keepsAgent { out.append(.transferProgressed(.trying, nil)) }
        tryNext(into: &out)
    }

    /// Who is called now will talk with the agent first.
    var isToConsult: Bool { state == .transferring && consults }

    /// The far end of the present step takes a call that is given away.
    mutating func transferTook(into out: inout [Command]) {
        guard consults else { return handOver(into: &out) }
        state = .consulting
        out.append(.consult)
        out.append(.transferProgressed(.answered, nil))
    }

    private mutating func handOver(into out: inout [Command]) {
        state = .connected
        out.append(.transferProgressed(.completed, nil))
        out.append(.join)
    }

    /// A file that the call is given to is there: it is heard in place of the agent.
    mutating func playing(into out: inout [Command]) {
        guard state == .transferring else { return }
        state = .recovering
        out.append(.transferProgressed(.completed, nil))
    }

    /// The agent hands the caller over to whom it talks with; where nobody has answered yet, it will not talk with whoever does.
    /// - Returns: false when there is nothing to hand over to.
    mutating func completeTransfer(into out: inout [Command]) -> Bool {
        switch state {
        case .transferring where consults: consults = false
        case .consulting: handOver(into: &out)
        default: return false
        }
        return true
    }

    /// The agent takes the transfer back and has the caller again.
    /// - Returns: false when there is none.
    mutating func cancelTransfer(into out: inout [Command]) -> Bool {
        guard state == .transferring || state == .consulting else { return false }
        steps = []
        returnToAgent(CallEnd(.noAnswer, sipStatus: 487, detail: "The agent took the transfer back."), into: &out)
        return true
    }

    private mutating func returnToAgent(_ failure: CallEnd, into out: inout [Command]) {
        state = .connected
        scripted = nil
        out.append(.dropFarEnd)
        out.append(.transferProgressed(.failed, failure))
    }

    /// Nobody took over.
    mutating func keepAgent(into out: inout [Command]) {
        state = .connected
        scripted = nil
        out.append(.transferProgressed(.failed, lastFailure ?? CallEnd(.noRoute)))
    }

    // MARK: Far ends that leave

    /// The agent ended its part. While it gives the call away, that goes on without it.
    mutating func agentEnded(_ end: CallEnd, into out: inout [Command]) {
        switch state {
        case .transferring, .consulting, .referring: agentLeft(into: &out)
        case .connected where isScripted:
            state = .recovering
            out.append(.scriptStepOver(end))
        // Another far end is reached for: this one had been told to go.
        case .recovering where isScripted: break
        default: self.end(end, into: &out)
        }
    }

    /// The transfer goes on without the agent: its place is taken by whatever can be heard of the far end.
    mutating func agentLeft(into out: inout [Command]) {
        switch state {
        case .consulting: handOver(into: &out)
        case .referring:
            referral.hasAgent = false
            out.append(.ringback)
        default:
            state = .recovering
            if progress.hasMedia { out.append(.early) } else if progress.isRinging { out.append(.ringback) }
        }
    }

    /// The phone that took the call hung up, or was lost.
    mutating func calleeEnded(_ end: CallEnd, into out: inout [Command]) {
        if state == .consulting { return returnToAgent(end, into: &out) }
        guard isScripted, state == .connected else { return self.end(end, into: &out) }
        state = .recovering
        out.append(.dropFarEnd)
        out.append(.scriptStepOver(end))
    }

    // MARK: The caller's phone calls

    /// The caller's phone is asked to call somebody else; the agent talks on until it has.
    mutating func refer(into out: inout [Command]) {
        guard state == .connected else { return }
        lastFailure = nil
        referral = (false, true)
        state = .referring
        out.append(.transfer)
        out.append(.transferProgressed(.trying, nil))
    }

    /// The phone does what it was asked for.
    mutating func referAccepted() { referral.isAccepted = true }

    /// The phone's call rings.
    mutating func referProgressed(into out: inout [Command]) {
        if state == .referring { out.append(.transferProgressed(.ringing, nil)) }
    }

    /// The phone's call is answered, so this one is over; or it came to nothing, and this one goes on.
    mutating func referEnded(_ failure: CallEnd?, into out: inout [Command]) {
        guard state == .referring else { return }
        guard let failure else { return end(CallEnd(.transferred), into: &out) }
        guard !referral.hasAgent else {
            lastFailure = failure
            return keepAgent(into: &out)
        }
        state = .recovering
        lastFailure = failure
        tryNext(into: &out)
    }

    /// Many phones hang up as soon as their own call is answered, before they tell so.
    func endOfReferral(_ end: CallEnd, into out: inout [Command]) -> CallEnd {
        let isByPhone = end.reason == .callerHangup || end.reason == .calleeHangup
        guard end.reason == .transferred || referral.isAccepted && isByPhone else { return end }
        out.append(.transferProgressed(.completed, nil))
        return CallEnd(.transferred)
    }
}
