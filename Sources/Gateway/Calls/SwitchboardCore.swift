import Dialplan
import Foundation
import Logging
import NIOCore
import RTCStack
import RTP
import SDP
import SIPStack

/// Decides: takes one event at a time, drives the calls' engines and hands their commands to the outlets. Never waits.
final class SwitchboardCore {
    private(set) var settings: SwitchboardSettings
    let outlets: any SwitchboardOutlets
    let logger: Logger
    private let clock: @Sendable () -> Date
    func now() -> Date { clock() }
    private var random: any RandomNumberGenerator

    var entries: [CallID: CallEntry] = [:]
    /// Both legs of a call, the callee's while it is called and after it answered.
    var bySIP: [SIPCallID: CallID] = [:]
    /// Who may be called at a browser, and which call each invitation is for.
    var users = UserDirectory()
    var invitations: [CallID: CallID] = [:]
    private var callsOnLoop: [Int]
    /// Calls that are over and only wait for their media, or for an agent's last word: they keep no caller out.
    private var endingCalls: Set<CallID> = []
    /// Media loops that take no more calls.
    private var fullLoops: Set<Int> = []
    /// Handles of calls that go out so far.
    var callsOut: UInt64 = 0
    /// What protects money: every call that may use a trunk is counted there.
    var limits: CallLimits
    /// Never jumps, unlike the time of day.
    let uptime: @Sendable () -> NIODeadline
    let records: CallRecordSink
    /// Writes what is recorded; nil where nothing can be.
    let recorder: Recorder?
    /// How many calls the API placed within the last second.
    var placements = CallRate()
    /// Refusals recorded in the present second of the clock.
    var refusals: (second: UInt64, count: Int) = (0, 0)
    var figures = SwitchboardFigures()
    private var whenDrained: (@Sendable () -> Void)?

    /// Seconds after which a refused caller may try again while we drain or are full.
    static let retryAfterSeconds = 30

    init(
        settings: SwitchboardSettings, outlets: any SwitchboardOutlets, logger: Logger,
        random: any RandomNumberGenerator = SystemRandomNumberGenerator(), clock: @escaping @Sendable () -> Date,
        uptime: @escaping @Sendable () -> NIODeadline = { .now() }, records: @escaping CallRecordSink = { _ in }, recorder: Recorder? = nil
    ) {
        self.settings = settings
        self.outlets = outlets
        self.logger = logger
        self.random = random
        self.clock = clock
        self.uptime = uptime
        self.records = records
        self.recorder = recorder
        limits = CallLimits(settings: settings.configuration.limits.unauthenticated)
        callsOnLoop = Array(repeating: 0, count: outlets.loopCount)
    }

    func handle(_ event: SwitchboardEvent) {
        switch event {
        case .sip(let output): handle(output)
        case .offer(let request, let reply): offer(request, reply)
        case .browserPrepared(let id, let answer): browserPrepared(id, answer)
        case .browserHungUp(let id, let end): browserHungUp(id, end)
        case .signIn(let socket): signIn(socket)
        case .signOut(let socket): signOut(socket)
        case .accept(let acceptance, let reply): accept(acceptance, reply)
        case .decline(let invitation, let socket, let status): decline(invitation, by: socket, status: status)
        case .userPrepared(let id, let invitation, let answer): userPrepared(id, invitation, answer)
        case .trunkPrepared(let id, let result): trunkPrepared(id, result)
        case .reoffered(let id, let sip, let result): reoffered(id, sip, result)
        case .calleePrepared(let id, let sip, let result): calleePrepared(id, sip, result)
        case .calleeProgressed(let id, let sip, let isRinging, let hasMedia):
            if callee(sip, of: id) != nil { update(id) { $0.progressed(isRinging: isRinging, hasMedia: hasMedia, into: &$1) } }
        case .calleeAnswered(let id, let sip, let result): calleeAnswered(id, sip, result)
        case .recordingLoaded(let id, let result): recordingLoaded(id, result)
        case .documentFetched(let id, let number, let agent, let url, let result): documentFetched(id, number, agent: agent, url: url, result)
        case .sessionDescribed(let id, let number, let step, let url, let result): sessionDescribed(id, number, step, url: url, result)
        case .soundFetched(let id, let number, let url, let result): soundFetched(id, number, url: url, result)
        case .media(let id, let event): handle(event, of: id)
        case .transfer(let id, let order, let reply): reply(transfer(order, id))
        case .place(let order, let reply): place(order, reply)
        case .loopLoad(let loop, let isOverloaded):
            if isOverloaded { fullLoops.insert(loop) } else { fullLoops.remove(loop) }
        case .drain(let finished): drain(finished)
        case .endAll(let reason): endAll(reason)
        case .settings(let settings):
            self.settings = settings
            limits.replace(settings.configuration.limits.unauthenticated)
        case .barrier(let done): done(presentFigures())
        }
    }

    // MARK: Entries

    /// nil while the gateway takes calls; else why it takes none.
    func admit() -> CallEnd? {
        if figures.isDraining { return CallEnd(.draining) }
        if entries.count - endingCalls.count >= settings.configuration.limits.maxCalls { return CallEnd(.overload) }
        if fullLoops.count >= callsOnLoop.count { return limits.noTime() }
        return nil
    }

    func makeID() -> CallID {
        var generator = AnyGenerator(random)
        return CallID(using: &generator)
    }

    func enter(
        _ id: CallID, _ caller: CallEntry.Caller, decision: RouteDecision, parameters: [String: String], hearsFailureTones: Bool = false
    ) -> CallEntry {
        let loop = callsOnLoop.indices.filter { !fullLoops.contains($0) }.min { callsOnLoop[$0] < callsOnLoop[$1] } ?? 0
        var logger = logger
        logger[metadataKey: "call"] = "\(id)"
        let startedAt = clock()
        let entry = CallEntry(
            id: id, loop: loop, caller: caller, decision: decision, parameters: parameters, logger: logger, startedAt: startedAt,
            record: CallRecord(id, caller: caller, decision: decision, startedAt: startedAt),
            call: Call(steps: decision.steps, hearsFailureTones: hearsFailureTones))
        entries[id] = entry
        if let sip = entry.sipCall { bySIP[sip] = id }
        callsOnLoop[loop] += 1
        figures.calls = entries.count
        figures.callsTotal += 1
        return entry
    }

    func keep(_ entry: CallEntry) { entries[entry.id] = entry }

    func entry(of call: SIPCallID) -> CallEntry? { bySIP[call].flatMap { entries[$0] } }

    /// Lets the call's engine take an event and does what it commands.
    func update(_ id: CallID, _ body: (inout Call, inout [Call.Command]) -> Void) {
        guard var entry = entries[id] else { return }
        var commands: [Call.Command] = []
        body(&entry.call, &commands)
        entries[id] = entry
        for command in commands { perform(command, of: id) }
    }

    /// Nothing is left of the call.
    private func forget(_ id: CallID, _ media: MediaFigures?) {
        guard let entry = entries.removeValue(forKey: id) else { return }
        if let sip = entry.sipCall { bySIP[sip] = nil }
        endingCalls.remove(id)
        callsOnLoop[entry.loop] -= 1
        figures.calls = entries.count
        logEnd(entry, media)
        record(entry, media)
        if figures.isDraining, entries.isEmpty { finishDraining() }
    }

    private func logEnd(_ entry: CallEntry, _ media: MediaFigures?) {
        let end = entry.call.end ?? CallEnd(.failed)
        figures.ended[end.reason, default: 0] += 1
        var metadata: Logger.Metadata = [
            "cause": "\(end.reason.rawValue)", "sip_code": "\(end.sipStatus)", "seconds": "\(Int(clock().timeIntervalSince(entry.startedAt)))",
        ]
        if let rtp = media?.caller.rtp {
            metadata["packets_received"] = "\(rtp.packetsReceived)"
            metadata["packets_sent"] = "\(rtp.packetsSent)"
            metadata["lost"] = "\(rtp.lost)"
            metadata["jitter_ms"] = "\((rtp.jitterMilliseconds * 10).rounded() / 10)"
        }
        entry.logger.info("call ended: \(end.detail)", metadata: metadata)
    }

    private func record(_ entry: CallEntry, _ media: MediaFigures?) {
        var record = entry.record
        record.recording = entry.recording?.outcome
        record.finish(entry.call.end ?? CallEnd(.failed), at: clock(), media: media)
        records(record)
        notify(entry, state: "ended", record)
        reportEnd(entry, record)
    }

    /// Something happened that a reader of the record wants to know.
    func note(_ what: String, _ id: CallID) {
        let now = clock()
        entries[id]?.record.add(event: what, at: now)
    }

    // MARK: Commands of a call

    private func perform(_ command: Call.Command, of id: CallID) {
        guard let entry = entries[id] else { return }
        switch command {
        case .ring: ring(entry)
        case .ringback: ringback(entry)
        case .early: early(entry)
        case .dial(let step): dial(step, entry)
        case .call(let step): call(step, entry)
        case .callAtOnce(let phones): callAtOnce(phones, entry)
        case .ringUser(let step): ring(step, entry)
        case .play(let file): play(file, entry)
        case .pause(let seconds): pause(seconds, entry)
        case .scriptStepOver(let outcome): scriptStepOver(outcome, entry.id)
        case .failureTone(let end): playFailure(end, entry)
        case .answer: answer(entry)
        case .join: join(entry)
        case .transfer: transferring(entry)
        case .consult: consult(entry)
        case .transferProgressed(let state, let failure): transferProgressed(state, failure, entry)
        case .dropFarEnd: dropFarEnd(entry)
        case .end(let end, let tellCaller): finish(entry, end, tellCaller: tellCaller)
        }
    }

    private func ring(_ entry: CallEntry) {
        entries[entry.id]?.record.ringingAt = clock()
        note("Ringing.", entry.id)
        switch entry.caller {
        case .trunk(let sip, _):
            let description = entry.isEarly ? entry.description : nil
            outlets.sip { $0.ring(sip, sdp: description, now: $1, into: &$2) }
        case .browser(let observer): observer(.ringing)
        case .api:
            if let present = entries[entry.id] { notify(present, state: "ringing", present.record) }
            report(.ringing, "ringing", entry.id)
        }
    }

    private func dial(_ step: AgentStep, _ entry: CallEntry) {
        guard let agent = settings.configuration.agent(named: step.name) else {
            return update(entry.id) { $0.stepFailed(CallEnd(.agentUnavailable), into: &$1) }
        }
        if let account = agent.account { entries[entry.id]?.record.account = account }
        let stream = streamOrder(step, agent, entry)
        if stream == nil, let order = entry.firstOrder, order.agent == agent.name { return follow(order, step, agent, entry) }
        if stream == nil, let webhook = agent.webhook {
            if case .socket(_, .openai) = agent.link { return askForSession(webhook, step, agent, entry) }
            return askWebhook(webhook, step, agent, entry)
        }
        entries[entry.id]?.record.begin(step: "agent", target: agent.name)
        reach(stream ?? AgentOrder(agent: agent, info: agentInfo(step, agent, entry)), step, entry)
    }

    /// Has the agent dialled, of whom everything is known now.
    func reach(_ order: AgentOrder, _ step: AgentStep, _ entry: CallEntry) {
        let id = entry.id
        entries[id]?.isStepRecorded = step.record
        entry.logger.info("dialling agent", metadata: ["agent": "\(order.agent.name)"])
        let isBeside = entry.call.isTransferring
        outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.dial(order, isBeside: isBeside, now: now) } }
    }

    /// What the agent is told of the call.
    func agentInfo(_ step: AgentStep, _ agent: Agent, _ entry: CallEntry) -> AgentCallInfo {
        var info = AgentCallInfo(
            call: entry.id, from: entry.decision.from.e164, to: entry.decision.to.e164,
            account: agent.account ?? TwilioDialect.defaultAccount, parameters: step.parameters.merging(entry.parameters) { $1 })
        info.routeParameters = step.parameters
        info.isBrowser = entry.isBrowser || entry.userParty != nil
        info.isOutbound = entry.isOutbound
        info.headers = Dictionary(entry.record.headers.map { ($0.name, $0.value) }) { first, _ in first }
        info.bargeIn = step.bargeIn
        return info
    }

    private func answer(_ entry: CallEntry) {
        var entry = entry
        entry.answeredAt = clock()
        entry.record.answeredAt = entry.answeredAt
        entry.record.add(event: "Answered.", at: clock())
        let description = entry.description
        entry.description = nil
        keep(entry)
        entry.logger.info("answered")
        switch entry.caller {
        case .trunk(let sip, _):
            outlets.sip { $0.accept(sip, sdp: description ?? "", now: $1, into: &$2) }
            let id = entry.id
            outlets.media(entry.loop) { loop, now in
                loop.perform(on: id, now: now) { ($0.caller as? TrunkLeg)?.answered(now: now) }
            }
        case .browser(let observer): observer(.connected)
        case .api: calleeBecomesParty(entry.id)
        }
        if let minutes = entry.decision.route?.maxMinutes {
            let id = entry.id
            outlets.media(entry.loop) { loop, now in
                loop.perform(on: id, now: now) { $0.limit(to: .minutes(Int64(minutes)), now: now) }
            }
        }
    }

    private func join(_ entry: CallEntry) {
        let (id, recording) = (entry.id, recording(of: entry))
        outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.connect(recordedBy: recording, now: now) } }
    }

    private func finish(_ entry: CallEntry, _ end: CallEnd, tellCaller: Bool) {
        switch entry.caller {
        case .trunk(let sip, _):
            if tellCaller { hangUp(sip, entry, end) }
        case .api: finishPlaced(entry, end, tellParty: tellCaller)
        case .browser(let observer):
            if let reply = entry.reply {
                entries[entry.id]?.reply = nil
                reply(.failure(BrowserCallRefusal(httpStatus: end.reason.httpStatus, end: end, detail: end.detail)))
            } else {
                observer(.ended(end))
            }
        }
        let id = entry.id
        letGo(entry, end)
        limits.end(id)
        endingCalls.insert(id)
        streamOver(id)
        guard entry.hasMedia else { return forget(id, nil) }
        outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.end(end, now: now) } }
    }

    func hangUp(_ sip: SIPCallID, _ entry: CallEntry, _ end: CallEnd) {
        if entry.answeredAt == nil { return refuse(sip, end) }
        let reason = SIPReason(cause: end.sipStatus, text: end.detail)
        outlets.sip { $0.hangUp(sip, reason: reason, now: $1, into: &$2) }
    }

    /// The final answer of a call that was not taken.
    func refuse(_ sip: SIPCallID, _ end: CallEnd) {
        var headers: [(String, String)] = [("Reason", SIPReason(cause: end.sipStatus, text: end.detail).value)]
        if end.sipStatus == 503 { headers.append(("Retry-After", "\(Self.retryAfterSeconds)")) }
        let fields = headers
        outlets.sip { $0.reject(sip, status: end.sipStatus, headers: fields, now: $1, into: &$2) }
    }

    // MARK: Media

    private func handle(_ event: MediaEvent, of id: CallID) {
        switch event {
        case .agentAnswered:
            entries[id]?.record.stepTook()
            streamBegan(id)
            update(id) { $0.stepTook(into: &$1) }
        case .agentFailed(let end):
            streamFailed(end, id)
            entries[id]?.logger.warning("agent unavailable: \(end.detail)")
            entries[id]?.record.stepFailed(end)
            update(id) { $0.stepFailed(end, into: &$1) }
        case .agentEnded(let end):
            streamOver(id)
            update(id) { $0.agentEnded(end, into: &$1) }
        case .agentTransfers(let transfer): agentTransfers(transfer, id)
        case .agentSays(let message): agentSays(message, id)
        case .answererFound(let finding): answererFound(finding, id)
        case .agentLost(let end):
            entries[id]?.logger.warning("agent lost: \(end.detail)")
            note("The agent was lost.", id)
            streamFailed(end, id)
            update(id) { $0.agentLost(end, into: &$1) }
        case .callerEnded(let end):
            if let party = entries[id]?.userParty { return browserHungUp(party.id, end) }
            let isBrowser = entries[id]?.isBrowser == true
            update(id) { $0.end(end, tellCaller: end.reason != .callerHangup || isBrowser, into: &$1) }
        case .calleeEnded(let end):
            if entries[id]?.invitation != nil { userEnded(id, end) } else { calleeLost(end, id) }
        case .calleeReady: userReady(id)
        case .rangOut(let invitation): rangOut(invitation, id)
        case .outOfTime:
            let end = limits.endAfter(minutes: entries[id]?.decision.route?.maxMinutes ?? 0)
            update(id) { $0.end(end, into: &$1) }
        case .played: update(id) { $0.played(into: &$1) }
        case .keyToSignal(let digit, let milliseconds, let toCallee): signal(digit, milliseconds, toCallee: toCallee, id)
        case .toneHeard(let tone, let byCallee): toneHeard(tone, byCallee: byCallee, id)
        case .released(let figures): forget(id, figures)
        }
    }

    private func toneHeard(_ tone: LineTone, byCallee: Bool, _ id: CallID) {
        figures.lineTones[tone, default: 0] += 1
        entries[id]?.logger.info("tone on the line", metadata: ["tone": "\(tone.rawValue)", "party": "\(byCallee ? "callee" : "caller")"])
        note(tone.sentence(of: byCallee ? "The called party" : "The caller"), id)
    }

    // MARK: Draining

    private func drain(_ finished: @escaping @Sendable () -> Void) {
        figures.isDraining = true
        whenDrained = finished
        let seconds = Self.retryAfterSeconds
        outlets.sip { endpoint, _, _ in endpoint.drainRetryAfterSeconds = seconds }
        if entries.isEmpty { finishDraining() }
    }

    private func finishDraining() {
        whenDrained.take()?()
    }

    private func endAll(_ reason: EndReason) {
        for id in entries.keys { update(id) { $0.end(CallEnd(reason), into: &$1) } }
    }
}
