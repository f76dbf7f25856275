import NIOCore

/// Joins sockets, sessions and the switchboard: which socket speaks for which call.
///
/// All of its state lives on one event loop. Whatever happens elsewhere is handed to that loop in order, so every session
/// sees one sequence of events.
final class SignalHub: @unchecked Sendable {
    private struct Entry {
        var session: SignalSession
        var connection: SignalConnection?
        /// The name it is resumed by, once the call was taken.
        var call: CallID?
        /// Ends the session when no socket comes back.
        var timer: Scheduled<Void>?
        /// From the first moment that `stats` can be said.
        var statistics: SignalStatistics?
        var statisticsTimer: Scheduled<Void>?

        func cancelTimers() {
            timer?.cancel()
            statisticsTimer?.cancel()
        }
    }

    private let loop: any EventLoop
    private let calls: any BrowserCalls
    private let iceServers: @Sendable () -> [ICEServer]
    private let resumeWindow: TimeAmount
    private let statisticsInterval: TimeAmount

    // Confined to `loop`.
    private var entries: [UInt64: Entry] = [:]
    private var numbers: [CallID: UInt64] = [:]
    private var sockets: [ObjectIdentifier: UInt64] = [:]
    private var users = SignedInSockets()
    private var nextNumber: UInt64 = 0
    private var isStopped = false

    /// - Parameters:
    ///   - resumeWindow: how long a call waits for a lost socket; `session` always says 30 seconds.
    ///   - statisticsInterval: between two `stats` of a call
    init(
        loop: any EventLoop, calls: any BrowserCalls, iceServers: @escaping @Sendable () -> [ICEServer],
        resumeWindow: TimeAmount = .seconds(Int64(SignalReply.resumeSeconds)), statisticsInterval: TimeAmount = .seconds(2)
    ) {
        self.loop = loop
        self.calls = calls
        self.iceServers = iceServers
        self.resumeWindow = resumeWindow
        self.statisticsInterval = statisticsInterval
    }

    /// Sessions held, with or without a socket.
    func sessionCount() async -> Int {
        (try? await loop.submit { self.entries.count }.get()) ?? 0
    }

    /// A text message came; from any thread, in order for each socket.
    func received(_ text: ByteBuffer, from connection: SignalConnection) {
        loop.execute { self.handle(text, from: connection) }
    }

    /// A socket is gone; from any thread, after its last message.
    func closed(_ connection: SignalConnection) {
        loop.execute {
            self.signOut(connection)
            guard let number = self.sockets.removeValue(forKey: ObjectIdentifier(connection)) else { return }
            self.entries[number]?.connection = nil
            self.update(number) { session, _ in session.detach(now: self.loop.now) }
        }
    }

    /// Forgets all sessions; the calls are no longer this server's.
    func stop() {
        loop.execute {
            self.isStopped = true
            for entry in self.entries.values { entry.cancelTimers() }
            self.entries = [:]
            self.numbers = [:]
            self.sockets = [:]
            self.users = SignedInSockets()
        }
    }

    private func handle(_ text: ByteBuffer, from connection: SignalConnection) {
        guard !isStopped else { return }
        let message: SignalRequest
        do { message = try SignalRequest(parsing: text.readableBytesView) } catch {
            return send(.error(code: 400, detail: error.detail), to: connection)
        }
        let current = sockets[ObjectIdentifier(connection)]
        switch (message, current) {
        case (.call(let to, let sdp, let parameters), nil):
            let source = connection.source
            place(for: connection) { [calls] observer in
                await calls.offer(BrowserCallRequest(to: to, sdp: sdp, parameters: parameters, source: source, observer: observer))
            }
        case (.accept(let name, let sdp), nil):
            guard let invitation = CallID(name) else { return send(Self.noSuchCall, to: connection) }
            let socket = users.socket(of: connection)
            place(for: connection) { [calls] observer in
                await calls.accept(CallAcceptance(invitation: invitation, socket: socket, sdp: sdp, observer: observer))
            }
        case (.register(let user), _): register(user, connection)
        case (.decline(let name, let status), _):
            guard let invitation = CallID(name), let socket = users.socket(of: connection) else { return send(Self.noSuchCall, to: connection) }
            calls.decline(invitation, by: socket, status: status)
        case (.resume(let session), nil):
            resume(session, on: connection)
        case (.call, _), (.resume, _), (.accept, _):
            send(.error(code: 409, detail: "This connection has a call already; hang up first, or open another one."), to: connection)
        case (_, let number?):
            update(number) { session, out in session.receive(message, into: &out) }
        case (.hangup, nil), (.candidate, nil):
            // These may have crossed the call's end on the way.
            break
        case (_, nil):
            send(.error(code: 409, detail: "This connection has no call; send call or resume first."), to: connection)
        }
    }

    private static let noSuchCall = SignalReply.error(code: 404, detail: "No such call rings at this connection.")

    /// Begins a session for what the socket asks of the switchboard.
    private func place(
        for connection: SignalConnection,
        _ begin: @escaping @Sendable (@escaping @Sendable (BrowserCallEvent) -> Void) async -> Result<BrowserCallAnswer, BrowserCallRefusal>
    ) {
        nextNumber += 1
        let number = nextNumber
        entries[number] = Entry(session: SignalSession(resumeWindow: resumeWindow), connection: connection)
        sockets[ObjectIdentifier(connection)] = number
        let observer: @Sendable (BrowserCallEvent) -> Void = { event in
            self.loop.execute { self.update(number) { session, out in session.observe(event, into: &out) } }
        }
        Task {
            let result = await begin(observer)
            loop.execute {
                guard !self.isStopped else { return }
                if case .success(let answer) = result {
                    self.entries[number]?.call = answer.call
                    self.numbers[answer.call] = number
                }
                self.update(number) { session, out in session.offered(result, into: &out) }
            }
        }
    }

    // MARK: Users

    private func register(_ user: String, _ connection: SignalConnection) {
        guard users.count(of: user, besides: connection) < UserSocket.mostOfOneUser else {
            return send(.error(code: 429, detail: "The user is signed in at \(UserSocket.mostOfOneUser) connections already; close one."), to: connection)
        }
        signOut(connection)
        nextNumber += 1
        let number = nextNumber
        users.add(connection, number, user)
        send(.registered(user: user), to: connection)
        calls.signIn(UserSocket(id: number, user: user) { event in self.loop.execute { self.tell(event, number) } })
    }

    private func signOut(_ connection: SignalConnection) {
        if let number = users.remove(connection) { calls.signOut(number) }
    }

    private func tell(_ event: UserEvent, _ number: UserSocket.ID) {
        guard let connection = users.connection(of: number) else { return }
        switch event {
        case .incoming(let call):
            // One call a connection: its user talks already.
            guard sockets[ObjectIdentifier(connection)] == nil else { return calls.decline(call.invitation, by: number, status: 486) }
            send(.incoming(call), to: connection)
        case .over(let call, let end): send(.incomingOver(call, end), to: connection)
        }
    }

    private func resume(_ name: String, on connection: SignalConnection) {
        guard let call = CallID(name), let number = numbers[call], let entry = entries[number] else {
            return send(.error(code: 404, detail: "There is no such session, or its call is over; place a new call."), to: connection)
        }
        if let old = entry.connection {
            sockets[ObjectIdentifier(old)] = nil
            old.close()
        }
        sockets[ObjectIdentifier(connection)] = number
        entries[number]?.connection = connection
        update(number) { session, out in session.attach(into: &out) }
    }

    /// Runs a step of a session and does what it asks for.
    private func update(_ number: UInt64, _ step: (inout SignalSession, inout [SignalSession.Output]) -> Void) {
        guard var session = entries[number]?.session else { return }
        var out: [SignalSession.Output] = []
        step(&session, &out)
        entries[number]?.session = session
        for output in out { perform(output, number) }
        arm(number)
        if let entry = entries[number], entry.statistics == nil, entry.session.wantsStatistics {
            entries[number]?.statistics = SignalStatistics()
            askForStatistics(number)
        }
    }

    /// Begins a round: the figures, what they say to the browser, and the next round after a while.
    private func askForStatistics(_ number: UInt64) {
        guard let call = entries[number]?.call else { return }
        Task { [calls] in
            let figures = await calls.figures(of: call)
            loop.execute { self.tellStatistics(figures, number) }
        }
    }

    private func tellStatistics(_ figures: LegFigures?, _ number: UInt64) {
        guard let entry = entries[number], var statistics = entry.statistics else { return }
        if let figures, let report = statistics.report(figures, now: loop.now), entry.session.wantsStatistics, let connection = entry.connection {
            send(.stats(report), to: connection)
        }
        entries[number]?.statistics = statistics
        entries[number]?.statisticsTimer = loop.scheduleTask(in: statisticsInterval) { self.askForStatistics(number) }
    }

    private func perform(_ output: SignalSession.Output, _ number: UInt64) {
        switch output {
        case .send(let reply):
            if let connection = entries[number]?.connection { send(reply, to: connection) }
        case .restart(let call, let sdp):
            Task {
                let result = await calls.restart(call, offer: sdp)
                loop.execute { self.update(number) { session, out in session.restarted(result, into: &out) } }
            }
        case .press(let digits, let call): calls.press(digits, in: call)
        case .message(let message, let call): calls.send(message, in: call)
        case .mute(let on, let call): calls.mute(on, in: call)
        case .hangUp(let call, let reason): calls.hangUp(call, CallEnd(reason))
        case .over:
            guard let entry = entries.removeValue(forKey: number) else { return }
            entry.cancelTimers()
            if let connection = entry.connection { sockets[ObjectIdentifier(connection)] = nil }
            if let call = entry.call { numbers[call] = nil }
        }
    }

    /// Keeps the timer of a session at its deadline.
    private func arm(_ number: UInt64) {
        guard let entry = entries[number] else { return }
        switch (entry.session.deadline, entry.timer) {
        case (let deadline?, nil):
            entries[number]?.timer = loop.scheduleTask(deadline: deadline) {
                self.entries[number]?.timer = nil
                self.update(number) { session, out in session.expire(now: deadline, into: &out) }
            }
        case (nil, let timer?):
            timer.cancel()
            entries[number]?.timer = nil
        default:
            break
        }
    }

    private func send(_ reply: SignalReply, to connection: SignalConnection) {
        connection.send(ByteBuffer(bytes: reply.json(iceServers: iceServers())))
    }
}
