import Dialplan

/// One call, as an engine: events in, commands out. `routing → ringing → connected → ending`.
///
/// It knows neither SIP nor browsers: the switchboard carries its commands to whichever legs the call has.
struct Call: Sendable {
    enum Command: Sendable, Equatable {
        /// The caller's signalling hears that the far end rings; once in a call.
        case ring
        /// Where the caller can hear it, a ringing tone: the far end rings and sends no sound of its own.
        case ringback
        /// The callee's sound goes to the caller before the answer (early media).
        case early
        /// Reach this agent.
        case dial(AgentStep)
        /// Call by these trunks.
        case call(TrunkStep)
        /// Call these phones at once, each by its ways in order; the first that answers is the far end.
        case callAtOnce([PhoneToRing])
        /// Ring this user wherever signed in.
        case ringUser(BrowserStep)
        /// Play this file to the caller, who is answered.
        case play(file: String)
        /// Silence for the caller, who is answered.
        case pause(seconds: Int)
        /// What the script had the call do is over, in this way; nil: to its end.
        case scriptStepOver(CallEnd?)
        /// The call is taken: tell the caller.
        case answer
        /// Join the caller to the far end that took the call.
        case join
        /// From here on the agent stays until the far end that is reached for takes the call.
        case transfer
        /// The far end that took the call talks with the agent, and the caller waits.
        case consult
        /// What the agent that gives the call away is told of it.
        case transferProgressed(AgentTransferProgress.State, CallEnd?)
        /// The present far end leaves the call, which goes on.
        case dropFarEnd
        /// The caller hears the tone of this failure; the call ends after it.
        case failureTone(CallEnd)
        /// Everything ends; `tellCaller` is false where the caller ended it.
        case end(CallEnd, tellCaller: Bool)
    }

    enum State: Sendable, Equatable {
        case routing
        /// The gateway places the call: its phone is being called, and the steps begin when that answers.
        case calling
        /// A step is being tried; the caller has no final answer yet.
        case ringing
        case connected
        /// Connected to an agent that gives the call away: another far end is being tried.
        case transferring
        /// The agent talks with the phone that is to have the call, and the caller waits.
        case consulting
        /// Connected to an agent that has asked the caller's own phone to call somebody else (REFER).
        case referring
        /// Answered, and a step is being tried: the agent was lost, or a file is played.
        case recovering
        /// No step took the call, and the caller hears why.
        case failing(CallEnd)
        case ending
    }

    var state = State.routing
    var steps: ArraySlice<Step>
    /// The ways to the phone or user of a call that the gateway places: trunk and browser steps.
    private var ways: ArraySlice<Step>
    /// What a script (TwiML) has the call do at present; nil while the route's own steps are tried.
    var scripted: ArraySlice<Step>?
    /// A caller without words of its own (WHIP) hears a tone before the call fails.
    private let hearsFailureTones: Bool
    private var hasRung = false
    /// What the far end being called did so far: an agent that leaves while it gives the call away leaves the caller to it.
    var progress: (isRinging: Bool, hasMedia: Bool) = (false, false)
    /// How the last step failed, which is the final answer when no other follows.
    var lastFailure: CallEnd?
    /// Of a transfer: the agent wants to talk with whoever answers before the caller does.
    var consults = false
    /// Of a transfer by the caller's own phone: it has taken the order, and the agent is still there.
    var referral = (isAccepted: false, hasAgent: true)
    /// Once ended: how.
    private(set) var end: CallEnd?

    var isAnswered: Bool {
        switch state {
        case .connected, .recovering, .transferring, .consulting, .referring: true
        case .routing, .calling, .ringing, .failing, .ending: false
        }
    }
    /// Whether it can be given to somebody else.
    var isTransferable: Bool { state == .connected }
    /// Whether the agent has the call until another far end takes it.
    var isTransferring: Bool { state == .transferring }
    /// Whether the agent talks with the phone that is to have the call.
    var isConsulting: Bool { state == .consulting }
    var isEnding: Bool { state == .ending }
    /// Whether a script has the call, so that it does not end when a far end does.
    var isScripted: Bool { scripted != nil }
    /// The word for the API.
    var stateName: String {
        switch state {
        case .routing: "routing"
        case .calling: hasRung ? "ringing" : "routing"
        case .ringing: "ringing"
        case .connected, .recovering, .transferring, .consulting, .referring: "connected"
        case .failing, .ending: "ending"
        }
    }

    /// - Parameters:
    ///   - steps: of the matched route, in order.
    ///   - ways: of a call that the gateway places: how its phone or user is called, before any step
    ///   - hearsFailureTones: whether a failure is heard for a few seconds before the call ends
    init(steps: [Step], ways: [Step] = [], hearsFailureTones: Bool = false) {
        self.steps = steps[...]
        self.ways = ways[...]
        self.hearsFailureTones = hearsFailureTones
    }

    /// The caller's media is there: the first step is tried, or, of a call that the gateway places, the phone is called.
    mutating func begin(into out: inout [Command]) {
        guard state == .routing else { return }
        if !ways.isEmpty {
            state = .calling
            return tryWay(into: &out)
        }
        state = .ringing
        tryNext(into: &out)
    }

    /// The far end of a trunk or browser step made progress: it rings, sends sound before its answer, or both.
    mutating func progressed(isRinging: Bool, hasMedia: Bool, into out: inout [Command]) {
        progress = (progress.isRinging || isRinging, progress.hasMedia || hasMedia)
        if state == .transferring, isRinging { out.append(.transferProgressed(.ringing, nil)) }
        if state == .calling, isRinging, !hasRung {
            hasRung = true
            out.append(.ring)
        }
        guard state == .ringing || state == .recovering else { return }
        if hasMedia { out.append(.early) }
        guard isRinging else { return }
        ring(into: &out)
        if !hasMedia { out.append(.ringback) }
    }

    /// The far end of the present step takes the call.
    mutating func stepTook(into out: inout [Command]) {
        switch state {
        case .calling:
            // Only now: nobody pays for an agent while the phone rings, and its first word falls when somebody listens.
            state = .recovering
            lastFailure = nil
            out.append(.answer)
            tryNext(into: &out)
        case .ringing:
            state = .connected
            out.append(.answer)
            out.append(.join)
        case .recovering:
            state = .connected
            out.append(.join)
        case .transferring: transferTook(into: &out)
        case .routing, .connected, .consulting, .referring, .failing, .ending: break
        }
    }

    // MARK: Scripts

    /// A script has the call do this, in place of what it does; `scriptStepOver` says when it is over. The route's steps stay for
    /// `leaveScript`.
    mutating func follow(_ steps: [Step], into out: inout [Command]) {
        // What an agent to whom the call is given answers by its webhook: it is reached for beside the one that has the call.
        if state == .transferring, steps.count == 1, case .agent? = steps.first {
            scripted = steps[...]
            return tryNext(into: &out)
        }
        guard yield(into: &out) else { return }
        scripted = steps[...]
        tryNext(into: &out)
    }

    /// A script has these phones ring at once; `scriptStepOver` says when that is over, after what is left of `steps`.
    mutating func ringAtOnce(_ phones: [PhoneToRing], then steps: [Step], into out: inout [Command]) {
        guard yield(into: &out) else { return }
        scripted = steps[...]
        progress = (false, false)
        out.append(.callAtOnce(phones))
    }

    /// A script has the caller wait.
    mutating func pause(seconds: Int, into out: inout [Command]) {
        guard yield(into: &out) else { return }
        scripted = []
        if state == .ringing { out.append(.answer) }
        state = .recovering
        out.append(.pause(seconds: seconds))
    }

    /// The script is over without an end of the call: the route's next step takes over.
    mutating func leaveScript(_ failure: CallEnd, into out: inout [Command]) {
        // It was to have been told to take the call: the agent that gives it away keeps it.
        if state == .transferring { return stepFailed(failure, into: &out) }
        guard yield(into: &out) else { return }
        scripted = nil
        lastFailure = failure
        tryNext(into: &out)
    }

    /// Lets go of what the call does at present.
    /// - Returns: false when it is too late for anything else.
    private mutating func yield(into out: inout [Command]) -> Bool {
        switch state {
        case .routing, .calling, .failing, .ending: return false
        case .connected, .transferring, .consulting, .referring: state = .recovering
        case .ringing, .recovering: break
        }
        lastFailure = nil
        out.append(.dropFarEnd)
        return true
    }

    /// The present step cannot take the call.
    mutating func stepFailed(_ failure: CallEnd, into out: inout [Command]) {
        guard state == .ringing || state == .recovering || state == .transferring || state == .calling else { return }
        lastFailure = failure
        if state == .calling { tryWay(into: &out) } else { tryNext(into: &out) }
    }

    /// The agent's connection broke: the route's next step takes over.
    mutating func agentLost(_ failure: CallEnd, into out: inout [Command]) {
        switch state {
        case .connected:
            state = .recovering
            lastFailure = failure
            if isScripted { scripted = [] }
            tryNext(into: &out)
        case .ringing, .recovering: stepFailed(failure, into: &out)
        case .transferring, .consulting, .referring: agentLeft(into: &out)
        case .routing, .calling, .failing, .ending: break
        }
    }

    /// A file or a failure tone was heard to its end.
    mutating func played(into out: inout [Command]) {
        switch state {
        case .recovering:
            if steps.isEmpty, lastFailure == nil, !isScripted { lastFailure = CallEnd(.calleeHangup, detail: "The announcement ended.") }
            tryNext(into: &out)
        case .failing(let failure): end(failure, into: &out)
        case .routing, .calling, .ringing, .connected, .transferring, .consulting, .referring, .ending: break
        }
    }

    /// The one way to finish, legal in every state. A call that was failing anyway keeps its cause.
    mutating func end(_ end: CallEnd, tellCaller: Bool = true, into out: inout [Command]) {
        guard state != .ending else { return }
        var end = end
        if case .failing(let failure) = state { end = failure }
        if state == .referring { end = endOfReferral(end, into: &out) }
        // The caller's INVITE was answered 200; it is 487 only for one who gave up before (RFC 3261 9.1).
        if isAnswered, end.reason == .callerHangup { end.sipStatus = 200 }
        state = .ending
        self.end = end
        out.append(.end(end, tellCaller: tellCaller))
    }

    private mutating func tryWay(into out: inout [Command]) {
        guard let way = ways.popFirst() else { return end(lastFailure ?? CallEnd(.unreachable), into: &out) }
        switch way {
        case .trunk(let trunk): out.append(.call(trunk))
        case .browser(let user): out.append(.ringUser(user))
        case .agent, .play, .reject: tryWay(into: &out)
        }
    }

    mutating func tryNext(into out: inout [Command]) {
        progress = (false, false)
        if state != .transferring, isScripted, scripted?.isEmpty != false { return out.append(.scriptStepOver(lastFailure)) }
        guard let step = isScripted ? scripted?.popFirst() : steps.popFirst() else {
            if state == .transferring { return keepAgent(into: &out) }
            return fail(lastFailure ?? CallEnd(.noRoute), into: &out)
        }
        switch step {
        case .agent where isToConsult, .play where isToConsult:
            lastFailure = CallEnd(.rejected, sipStatus: 488, detail: "Only a phone can be consulted.")
            tryNext(into: &out)
        case .agent(let agent):
            ring(into: &out)
            out.append(.dial(agent))
        case .trunk(let trunk): out.append(.call(trunk))
        case .browser(let user): out.append(.ringUser(user))
        case .play(let file):
            if state == .ringing { out.append(.answer) }
            // The agent that gives the call away stays until the file is there.
            if state != .transferring { state = .recovering }
            out.append(.play(file: file))
        case .reject(let code) where state == .transferring || isScripted:
            lastFailure = CallEnd(.rejected, sipStatus: code, detail: "The dial plan rejects the transfer.")
            tryNext(into: &out)
        case .reject(let code):
            fail(CallEnd(.rejected, sipStatus: code, detail: "The dial plan rejects the call."), into: &out)
        }
    }

    private mutating func ring(into out: inout [Command]) {
        guard !hasRung, state == .ringing else { return }
        hasRung = true
        out.append(.ring)
    }

    private mutating func fail(_ failure: CallEnd, into out: inout [Command]) {
        guard hearsFailureTones, state == .ringing else { return end(failure, into: &out) }
        state = .failing(failure)
        out.append(.failureTone(failure))
    }
}
