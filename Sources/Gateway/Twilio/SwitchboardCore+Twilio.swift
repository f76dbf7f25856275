import Dialplan
import NIOCore

/// What a webhook, or an order by REST, has a call do.
struct TwiMLOrder: Sendable, Equatable {
    enum What: Sendable, Equatable {
        case document(TwiML)
        case fetch(url: String, isGet: Bool)
    }

    var what: What
    /// The agent whose account gave the order.
    var agent: String
}

/// Calls that TwiML tells what to do: an agent with a webhook is asked before its socket is opened.
extension SwitchboardCore {
    private static let documentTime = TimeAmount.seconds(3)
    private static let soundTime = TimeAmount.seconds(10)
    /// Bytes of a file by HTTP: three minutes at 48 kHz.
    private static let largestSound = 16 << 20

    /// Asks the agent's webhook what to do.
    func askWebhook(_ url: String, _ step: AgentStep, _ agent: Agent, _ entry: CallEntry) {
        begin(step, agent, entry)
        subscribe(agent, entry.id)
        bridgeTheWait(entry)
        fetchDocument(url, isGet: false, fields: [], agent, entry.id)
    }

    private func begin(_ step: AgentStep, _ agent: Agent, _ entry: CallEntry) {
        entries[entry.id]?.record.begin(step: "agent", target: agent.name)
        entries[entry.id]?.script = nil
        entries[entry.id]?.scriptParameters = step.parameters.merging(entry.parameters) { own, _ in own }
        entries[entry.id]?.scriptStep = step
    }

    /// The phone of a call that was ordered by REST answered: what the order says is done in place of asking the agent's webhook.
    func follow(_ order: TwiMLOrder, _ step: AgentStep, _ agent: Agent, _ entry: CallEntry) {
        entries[entry.id]?.firstOrder = nil
        begin(step, agent, entry)
        perform(order, agent, entry.id)
    }

    private func perform(_ order: TwiMLOrder, _ agent: Agent, _ id: CallID) {
        switch order.what {
        case .document(let document):
            // A document that is still on its way is late.
            entries[id]?.fetches += 1
            follow(TwiMLScript(document, agent: agent.name, base: agent.webhook), id)
        case .fetch(let url, let isGet): fetchDocument(url, isGet: isGet, fields: [], agent, id)
        }
    }

    private func fetchDocument(_ url: String, isGet: Bool, fields: [FormField], _ agent: Agent, _ id: CallID) {
        guard let entry = entries[id] else { return }
        let account = agent.account ?? TwilioDialect.defaultAccount
        let form = TwilioCall.fields(entry, account: account, parameters: entry.scriptParameters) + fields
        var request = WebRequest(url: url, isGet: isGet, limit: MarkupReader.largestDocument, time: Self.documentTime)
        if isGet {
            request.url += (url.contains("?") ? "&" : "?") + FormField.write(form)
        } else {
            request.form = form
        }
        if let token = agent.token, let signature = TwilioSignature.sign(request.url, fields: request.form, token: token) {
            request.headers.append(FormField(TwilioSignature.header, signature))
        }
        let number = entry.fetches + 1
        entries[id]?.fetches = number
        entry.logger.info("asking the webhook", metadata: ["agent": "\(agent.name)"])
        let outlets = outlets
        outlets.fetch(request) { answer in
            outlets.post(.documentFetched(id, number, agent: agent.name, url: url, answer.flatMap(Self.document)))
        }
    }

    private static func document(_ bytes: [UInt8]) -> Result<TwiML, WebRequest.Failure> {
        do throws(TwiMLReader.Failure) {
            return .success(try TwiMLReader.read(bytes))
        } catch {
            return .failure(WebRequest.Failure(reason: "its TwiML cannot be used: \(error)"))
        }
    }

    func documentFetched(_ id: CallID, _ number: Int, agent: String, url: String, _ result: Result<TwiML, WebRequest.Failure>) {
        guard let entry = entries[id], entry.fetches == number, !entry.call.isEnding else { return }
        switch result {
        case .success(let document): follow(TwiMLScript(document, agent: agent, base: url, after: entry.script), id)
        case .failure(let failure):
            entry.logger.warning("webhook failed: \(failure.reason)", metadata: ["agent": "\(agent)"])
            note("The webhook of agent \(agent) failed: \(failure.reason).", id)
            let end = CallEnd(.agentUnavailable, detail: "The agent's webhook could not be used.")
            entries[id]?.record.stepFailed(end)
            entries[id]?.script = nil
            update(id) { $0.leaveScript(end, into: &$1) }
        }
    }

    /// An order by REST, in place of what the call does.
    /// - Returns: false for a call that is not answered, or is over.
    func instruct(_ id: CallID, _ order: TwiMLOrder) -> Bool {
        guard let entry = entries[id], entry.call.isAnswered, let agent = settings.configuration.agent(named: order.agent) else { return false }
        note("A new TwiML document by REST.", id)
        if entry.scriptStep == nil { entries[id]?.scriptStep = AgentStep(name: agent.name) }
        perform(order, agent, id)
        return true
    }

    // MARK: Verb after verb

    private func follow(_ script: TwiMLScript, _ id: CallID) {
        entries[id]?.script = script
        scriptStepOver(nil, id)
    }

    /// The verb is over: the next one.
    func scriptStepOver(_ outcome: CallEnd?, _ id: CallID) {
        guard var script = entries[id]?.script else { return }
        let dialled = if case .dial = script.current { entries[id]?.dialled } else { nil as StatusSubscription? }
        let action = script.next(after: outcome)
        entries[id]?.script = script
        guard let entry = entries[id] else { return }
        switch action {
        case .stream: update(id) { $0.follow([.agent(entry.scriptStep ?? AgentStep(name: script.agent))], into: &$1) }
        case .dial(let dial):
            entries[id]?.dialled = nil
            let (phones, steps) = ways(for: dial, script, entry)
            update(id) {
                if phones.isEmpty { $0.follow(steps, into: &$1) } else { $0.ringAtOnce(phones, then: steps, into: &$1) }
            }
        case .play(let url): update(id) { $0.follow([.play(file: url)], into: &$1) }
        case .pause(let seconds): update(id) { $0.pause(seconds: seconds, into: &$1) }
        case .fetch(let url, let isGet, let fields):
            guard let agent = settings.configuration.agent(named: script.agent) else {
                return update(id) { $0.leaveScript(CallEnd(.agentUnavailable), into: &$1) }
            }
            fetchDocument(url, isGet: isGet, fields: fields + (dialled?.dialFields(now: now()) ?? []), agent, id)
        case .leave(let failure):
            entries[id]?.script = nil
            update(id) { $0.leaveScript(failure, into: &$1) }
        case .end(var end):
            // A caller who was not answered has to be told something that is no success.
            if !entry.call.isAnswered, end.sipStatus < 400 { end = CallEnd(.rejected, sipStatus: 480, detail: end.detail) }
            update(id) { $0.end(end, into: &$1) }
        }
    }

    /// Phones that ring at once, and the steps tried after them. A single phone is a step like any other, and may be heard before its answer.
    private func ways(for dial: TwiML.Dial, _ script: TwiMLScript, _ entry: CallEntry) -> (phones: [PhoneToRing], steps: [Step]) {
        let ways = dial.targets.map { self.steps(to: $0, dial, entry) }
        guard ways.count > 1 else { return ([], ways.first ?? []) }
        var (phones, steps): ([PhoneToRing], [Step]) = ([], [])
        for (index, way) in ways.enumerated() {
            let trunks = way.prefix { $0.kind == "trunk" }.compactMap { step -> TrunkStep? in
                if case .trunk(let trunk) = step { trunk } else { nil }
            }
            guard !trunks.isEmpty else {
                steps += way
                continue
            }
            phones.append(PhoneToRing(ways: trunks, callback: dial.callbacks[index]?.of(script)))
        }
        // A target that leads nowhere is a phone that fails, and says less than the others.
        if !phones.isEmpty { steps.removeAll { $0.kind == "reject" } }
        return (phones, steps)
    }

    /// Where the dial plan lets a document dial. Who the called party sees is the plan's to say, else one of the call's own numbers.
    private func steps(to target: String, _ dial: TwiML.Dial, _ entry: CallEntry) -> [Step] {
        guard let (found, decision) = destination(AgentTransfer(target: target, ringSeconds: dial.timeout), entry) else {
            entry.logger.warning("the dial plan leads nowhere for a <Dial> (via api)", metadata: ["to": "\(Redacted(number: target))"])
            return [.reject(code: 404)]
        }
        // The number is the target's, not the one that the caller dialled.
        let steps = found.map { step -> Step in
            guard case .trunk(var trunk) = step, let called = decision?.to else { return step }
            guard let number = trunk.dialled(for: called) else { return .reject(code: 484) }
            trunk.to = number
            return .trunk(trunk)
        }
        guard let callerID = dial.callerID, [entry.decision.from.e164, entry.decision.to.e164].contains(callerID) else { return steps }
        return steps.map { step in
            guard case .trunk(var trunk) = step, trunk.callerID == nil else { return step }
            trunk.callerID = callerID
            return .trunk(trunk)
        }
    }

    /// The stream that the document opens, as an order to the media; nil when no document has anything to do with this step.
    func streamOrder(_ step: AgentStep, _ agent: Agent, _ entry: CallEntry) -> AgentOrder? {
        guard entry.call.isScripted, let script = entry.script, script.agent == step.name, case .connect(let stream) = script.current else { return nil }
        var order = AgentOrder(agent: agent, info: agentInfo(step, agent, entry))
        // What the document says of the caller, no page and no route says otherwise.
        order.info.parameters.merge(stream.parameters) { $1 }
        order.streamURL = stream.url
        return order
    }

    // MARK: Sound

    /// Whether the file is one that is fetched by HTTP; plans name files of the machine only.
    static func isRemote(_ file: String) -> Bool { WebClient.place(of: file) != nil }

    func playRemote(_ url: String, _ entry: CallEntry) {
        let (id, outlets, number) = (entry.id, outlets, entry.fetches + 1)
        entries[id]?.fetches = number
        if let sound = entry.sound, sound.url == url { return soundFetched(id, number, url: url, .success(sound.recording)) }
        let request = WebRequest(url: url, isGet: true, limit: Self.largestSound, time: Self.soundTime)
        outlets.fetch(request) { answer in
            let result = answer.mapError { CallEnd(.failed, detail: "The file to be played could not be fetched: \($0.reason).") }
                .flatMap { bytes in
                    Result { () throws(Recording.Failure) in try Recording(wave: bytes) }
                        .mapError { CallEnd(.failed, detail: "The file to be played cannot be used: \($0).") }
                }
            outlets.post(.soundFetched(id, number, url: url, result))
        }
    }

    func soundFetched(_ id: CallID, _ number: Int, url: String, _ result: Result<Recording, CallEnd>) {
        guard entries[id]?.fetches == number else { return }
        if case .success(let recording) = result { entries[id]?.sound = (url, recording) }
        recordingLoaded(id, result)
    }

    func pause(_ seconds: Int, _ entry: CallEntry) {
        let id = entry.id
        outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.play(.silence(milliseconds: seconds * 1000), now: now) } }
    }
}
