import NIOCore

/// One call of a signal socket: an engine without socket or clock.
///
/// It keeps the order one-way consistent: `session`, `answer`, then `ringing`, `connected`, `ended` as they happened,
/// whatever thread and moment they were reported in; and it outlives its socket for 30 seconds.
struct SignalSession {
    enum Output: Equatable {
        /// Goes to the attached socket.
        case send(SignalReply)
        /// The browser's new offer for a running call; `restarted` brings the outcome.
        case restart(CallID, sdp: String)
        case press(String, CallID)
        case message(CallMessage, CallID)
        case mute(Bool, CallID)
        case hangUp(CallID, EndReason)
        /// Forget this session; its socket, if any, may call again.
        case over
    }

    /// Messages kept while the offer is with the switchboard, and restarts while one is.
    static let waitingLimit = 32

    private enum State {
        /// `calls.offer` is running.
        case offering(Offering)
        case running(Running)
        case over
    }

    private struct Offering {
        var isAttached = true
        /// What the browser sent since, to be handled after the answer.
        var waiting: [SignalRequest] = []
        /// What happened to the call before its answer was handed to us.
        var early: [BrowserCallEvent] = []
    }

    private struct Running {
        var call: CallID
        var link = Link.attached
        /// The last of `ringing` and `connected`, for a socket that takes over without the old one's end being noticed.
        var milestone: SignalReply?
        var hasEnded = false
        var isRestarting = false
        var restarts: [String] = []
    }

    private enum Link {
        case attached
        /// Without a socket: until when, and what a resumed one is told.
        case detached(until: NIODeadline, missed: [SignalReply])
    }

    private var state = State.offering(Offering())
    private let resumeWindow: TimeAmount

    /// - Parameter resumeWindow: how long the call waits for a lost socket.
    init(resumeWindow: TimeAmount = .seconds(Int64(SignalReply.resumeSeconds))) {
        self.resumeWindow = resumeWindow
    }

    /// When `expire` wants to be called: only without a socket.
    var deadline: NIODeadline? {
        if case .running(let running) = state, case .detached(let until, _) = running.link { until } else { nil }
    }

    /// Sound goes both ways, and a socket is attached that can be told of it.
    var wantsStatistics: Bool {
        if case .running(let running) = state, case .attached = running.link { running.milestone == .connected && !running.hasEnded } else { false }
    }

    /// The outcome of the offer.
    mutating func offered(_ result: Result<BrowserCallAnswer, BrowserCallRefusal>, into out: inout [Output]) {
        guard case .offering(let offering) = state else { return }
        switch result {
        case .failure(let refusal):
            state = .over
            out.append(.send(.error(code: refusal.httpStatus, detail: refusal.detail)))
            out.append(.send(.ended(refusal.end)))
            out.append(.over)
        case .success(let answer) where !offering.isAttached:
            // Nobody knows the session's name, so nobody can come back for it.
            state = .over
            out.append(.hangUp(answer.call, .connectionLost))
            out.append(.over)
        case .success(let answer):
            state = .running(Running(call: answer.call))
            out.append(.send(.session(id: answer.call)))
            out.append(.send(.answer(sdp: answer.sdp)))
            for event in offering.early { observe(event, into: &out) }
            for message in offering.waiting { receive(message, into: &out) }
        }
    }

    /// What happened to the call.
    mutating func observe(_ event: BrowserCallEvent, into out: inout [Output]) {
        switch state {
        case .offering(var offering):
            offering.early.append(event)
            state = .offering(offering)
        case .running(var running) where !running.hasEnded:
            switch event {
            case .ringing: running.milestone = .ringing
            case .connected: running.milestone = .connected
            case .message: break
            case .ended: running.hasEnded = true
            }
            Self.tell(event.reply, &running, into: &out)
            finish(running, into: &out)
        case .running, .over:
            break
        }
    }

    /// A message of the attached socket; `call` and `resume` are not for a session but for the hub.
    mutating func receive(_ message: SignalRequest, into out: inout [Output]) {
        switch state {
        case .offering(var offering):
            guard offering.waiting.count < Self.waitingLimit else { return Self.refuse(into: &out) }
            offering.waiting.append(message)
            state = .offering(offering)
        case .running(var running) where !running.hasEnded:
            handle(message, &running, into: &out)
            state = .running(running)
        case .running, .over:
            break
        }
    }

    private func handle(_ message: SignalRequest, _ running: inout Running, into out: inout [Output]) {
        switch message {
        case .restart(let sdp):
            guard running.isRestarting else {
                running.isRestarting = true
                out.append(.restart(running.call, sdp: sdp))
                return
            }
            guard running.restarts.count < Self.waitingLimit else { return Self.refuse(into: &out) }
            running.restarts.append(sdp)
        case .dtmf(let digits): out.append(.press(digits, running.call))
        case .mute(let on): out.append(.mute(on, running.call))
        case .message(let message): out.append(.message(message, running.call))
        case .hangup: out.append(.hangUp(running.call, .callerHangup))
        case .candidate, .call, .resume, .register, .accept, .decline: break
        }
    }

    /// The outcome of a restart.
    mutating func restarted(_ result: Result<BrowserCallAnswer, BrowserCallRefusal>, into out: inout [Output]) {
        guard case .running(var running) = state, !running.hasEnded else { return }
        switch result {
        case .success(let answer): Self.tell(.answer(sdp: answer.sdp), &running, into: &out)
        case .failure(let refusal): Self.tell(.error(code: refusal.httpStatus, detail: refusal.detail), &running, into: &out)
        }
        running.isRestarting = !running.restarts.isEmpty
        if running.isRestarting { out.append(.restart(running.call, sdp: running.restarts.removeFirst())) }
        state = .running(running)
    }

    /// The socket is gone.
    mutating func detach(now: NIODeadline) {
        switch state {
        case .offering(var offering):
            offering.isAttached = false
            state = .offering(offering)
        case .running(var running):
            running.link = .detached(until: now + resumeWindow, missed: [])
            state = .running(running)
        case .over:
            break
        }
    }

    /// Another socket resumes the session; the old one, if there still was one, hears no more of it.
    mutating func attach(into out: inout [Output]) {
        guard case .running(var running) = state else { return }
        out.append(.send(.session(id: running.call)))
        switch running.link {
        case .detached(_, let missed): out += missed.map(Output.send)
        // What the old socket was sent may never have arrived: where the call stands is said again.
        case .attached: if let milestone = running.milestone { out.append(.send(milestone)) }
        }
        running.link = .attached
        finish(running, into: &out)
    }

    /// Ends a call whose socket did not come back in time.
    mutating func expire(now: NIODeadline, into out: inout [Output]) {
        guard case .running(let running) = state, case .detached(let until, _) = running.link, until <= now else { return }
        state = .over
        if !running.hasEnded { out.append(.hangUp(running.call, .connectionLost)) }
        out.append(.over)
    }

    /// Takes the new state, or ends the session once the browser was told that the call is over.
    private mutating func finish(_ running: Running, into out: inout [Output]) {
        guard running.hasEnded, case .attached = running.link else {
            state = .running(running)
            return
        }
        state = .over
        out.append(.over)
    }

    private static func tell(_ reply: SignalReply, _ running: inout Running, into out: inout [Output]) {
        switch running.link {
        case .attached: out.append(.send(reply))
        case .detached(let until, let missed):
            guard missed.count < missedLimit else { return }
            running.link = .detached(until: until, missed: missed + [reply])
        }
    }

    /// An agent's texts beyond that are lost while the socket is away; how the call stands is said again anyway.
    private static let missedLimit = 1000

    private static func refuse(into out: inout [Output]) {
        out.append(.send(.error(code: 429, detail: "Too many messages at once; wait for answers.")))
    }
}

extension BrowserCallEvent {
    fileprivate var reply: SignalReply {
        switch self {
        case .ringing: .ringing
        case .connected: .connected
        case .message(let message): .message(message)
        case .ended(let end): .ended(end)
        }
    }
}
