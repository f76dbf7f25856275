import Dialplan

/// One call, as an engine: events in, commands out. `routing → ringing → connected → ending`.
///
/// It knows neither SIP nor browsers: the switchboard carries its commands to whichever legs the call has.
struct Call: Sendable {
    enum Command: Sendable, Equatable {
        /// The caller hears that the far end is being reached.
        case ring
        /// Reach this agent.
        case dial(AgentStep)
        /// The call is taken: tell the caller, and join the two legs.
        case answer
        /// A new far end took over an answered call: join the two legs.
        case join
        /// Everything ends; `tellCaller` is false where the caller ended it.
        case end(CallEnd, tellCaller: Bool)
    }

    private enum State: Sendable, Equatable {
        case routing
        /// A step is being tried; the caller has no final answer yet.
        case ringing
        case connected
        /// Lost its agent after the answer; a further step is being tried.
        case recovering
        case ending
    }

    private var state = State.routing
    private var steps: ArraySlice<Step>
    private var hasRung = false
    /// How the last step failed, which is the final answer when no other follows.
    private var lastFailure = CallEnd(.noRoute)
    /// Once ended: how.
    private(set) var end: CallEnd?

    var isAnswered: Bool { state == .connected || state == .recovering }
    var isEnding: Bool { state == .ending }
    /// The word for the API.
    var stateName: String {
        switch state {
        case .routing: "routing"
        case .ringing: "ringing"
        case .connected, .recovering: "connected"
        case .ending: "ending"
        }
    }

    /// - Parameter steps: of the matched route, in order.
    init(steps: [Step]) {
        self.steps = steps[...]
    }

    /// The caller's media is there: the first step is tried.
    mutating func begin(into out: inout [Command]) {
        guard state == .routing else { return }
        state = .ringing
        tryNext(into: &out)
    }

    mutating func agentAnswered(into out: inout [Command]) {
        switch state {
        case .ringing:
            state = .connected
            out.append(.answer)
        case .recovering:
            state = .connected
            out.append(.join)
        case .routing, .connected, .ending: break
        }
    }

    mutating func agentFailed(_ failure: CallEnd, into out: inout [Command]) {
        guard state == .ringing || state == .recovering else { return }
        lastFailure = failure
        tryNext(into: &out)
    }

    /// The agent's connection broke: the route's next step takes over.
    mutating func agentLost(_ failure: CallEnd, into out: inout [Command]) {
        switch state {
        case .connected:
            state = .recovering
            lastFailure = failure
            tryNext(into: &out)
        case .ringing, .recovering: agentFailed(failure, into: &out)
        case .routing, .ending: break
        }
    }

    /// The one way to finish, legal in every state.
    mutating func end(_ end: CallEnd, tellCaller: Bool = true, into out: inout [Command]) {
        guard state != .ending else { return }
        state = .ending
        self.end = end
        out.append(.end(end, tellCaller: tellCaller))
    }

    private mutating func tryNext(into out: inout [Command]) {
        guard let step = steps.popFirst() else { return end(lastFailure, into: &out) }
        switch step {
        case .agent(let agent):
            if !hasRung, state == .ringing {
                hasRung = true
                out.append(.ring)
            }
            out.append(.dial(agent))
        case .reject(let code):
            end(CallEnd(.rejected, sipStatus: code, detail: "The dial plan rejects the call."), into: &out)
        case .trunk, .browser, .play:
            // Parsed and warned about at load; not built yet, so it fails over like a far end that cannot be reached.
            lastFailure = CallEnd(.unreachable, detail: "This kind of step is not built yet.")
            tryNext(into: &out)
        }
    }
}
