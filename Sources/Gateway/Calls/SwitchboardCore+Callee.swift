import Dialplan
import NIOCore
import RTP
import SIPStack

/// Calls that leave by a trunk: the far end of a trunk step.
extension SwitchboardCore {
    /// The callee of a call, if it is still the one that a message speaks of.
    func callee(_ sip: SIPCallID, of id: CallID) -> Callee? {
        entries[id]?.phones.first { $0.sip == sip }
    }

    // MARK: Trying trunks

    func call(_ step: TrunkStep, _ entry: CallEntry) {
        entries[entry.id]?.isStepRecorded = step.record
        guard let number = step.dialled(for: entry.decision.to) else {
            let failure = CallEnd(.unreachable, sipStatus: 484, detail: "The number cannot be dialled.")
            entries[entry.id]?.record.begin(step: "trunk", target: step.trunks.first)
            entries[entry.id]?.record.stepFailed(failure)
            return update(entry.id) { $0.stepFailed(failure, into: &$1) }
        }
        tryTrunks(step, step.trunks[...], number: number, after: CallEnd(.unreachable), subscription(to: entry), entry.id)
    }

    /// Calls by the first of the trunks that can carry the call; without one the step has failed.
    private func tryTrunks(
        _ step: TrunkStep, _ names: ArraySlice<String>, number: String, after failure: CallEnd, _ status: StatusSubscription?, _ id: CallID
    ) {
        switch next(step, names, number: number, after: failure, id) {
        case .success(var callee):
            callee.status = status
            entries[id]?.callee = callee
            if let entry = entries[id] { prepare(callee, entry) }
        case .failure(let failure):
            reportEnd(of: status, number: number, TwiMLScript.dialStatus(failure), sipStatus: failure.sipStatus, id)
            update(id) { $0.stepFailed(failure, into: &$1) }
        }
    }

    /// The phone behind the first of the trunks that can carry the call, or why none can.
    func next(
        _ step: TrunkStep, _ names: ArraySlice<String>, number: String, after failure: CallEnd, _ id: CallID
    ) -> Result<Callee, CallEnd> {
        guard var entry = entries[id] else { return .failure(failure) }
        var (names, failure) = (names, failure)
        while let name = names.popFirst() {
            guard let trunk = settings.configuration.trunks.first(where: { $0.name == name }) else { continue }
            if let refusal = refusal(of: trunk, number: number, entry) {
                entry.record.begin(step: "trunk", target: name, dialled: number)
                entry.record.stepFailed(refusal)
                failure = refusal
                continue
            }
            entry.record.begin(step: "trunk", target: name, dialled: number)
            callsOut += 1
            let sip = SIPCallID.outgoing(callsOut)
            entry.lastCountry = trunk.country
            bySIP[sip] = id
            keep(entry)
            return .success(Callee(sip: sip, step: step, number: number, trunk: trunk, rest: names))
        }
        keep(entry)
        return .failure(failure)
    }

    /// Why a trunk cannot carry the call; nil when it can.
    private func refusal(of trunk: Trunk, number: String, _ entry: CallEntry) -> CallEnd? {
        if !targets(of: trunk).isEmpty {
            let isAuthenticated = !entry.isBrowser || settings.configuration.browser.jwtSecret != nil
            let refusal = limits.admit(entry.id, by: trunk, to: number, isAuthenticated: isAuthenticated, now: uptime())
            if let refusal {
                entry.logger.warning("call out refused: \(refusal.end.detail)", metadata: ["trunk": "\(trunk.name)", "limit": "\(refusal.limit.rawValue)"])
            }
            return refusal?.end
        }
        entry.logger.warning("no address of the trunk's hosts is known", metadata: ["trunk": "\(trunk.name)"])
        return CallEnd(.unreachable)
    }

    func prepare(_ callee: Callee, _ entry: CallEntry) {
        let (sip, trunk, isBranch) = (callee.sip, callee.trunk, callee.branch != nil)
        let (id, outlets, hosts) = (entry.id, outlets, targets(of: trunk).map(\.address.host))
        entry.logger.info("calling by trunk", metadata: ["trunk": "\(trunk.name)"])
        outlets.media(entry.loop) { loop, now in
            loop.perform(on: id, now: now) { call in
                let parameters = TrunkLeg.Parameters(
                    trunk: trunk, call: id, signallingPeer: nil, hosts: hosts, localAddress: loop.environment.trunkAddress, now: now)
                outlets.post(.calleePrepared(id, sip, loop.openCallee(of: call, parameters: parameters, branch: isBranch ? sip : nil, now: now)))
            }
        }
    }

    func calleePrepared(_ id: CallID, _ sip: SIPCallID, _ result: Result<String, MediaLoop.TrunkRefusal>) {
        guard let callee = callee(sip, of: id), let entry = entries[id], !entry.call.isEnding else { return }
        switch result {
        case .failure(let refusal): giveUp(callee, end(for: refusal), id)
        case .success(let offer):
            do throws(SIPOrderError) {
                let order = try order(callee, entry, offer: offer)
                entries[id]?.update(sip) { $0.isOrdered = true }
                outlets.sip { $0.call(order, now: $1, into: &$2) }
                report(.initiated, "initiated", of: sip, id)
            } catch {
                entry.logger.error("call by trunk refused: \(error)", metadata: ["trunk": "\(callee.trunk.name)"])
                giveUp(callee, CallEnd(.failed), id)
            }
        }
    }

    /// Everything in an order is the plan's or normalised: what a caller wrote gets no further than its number as From.
    private func order(_ callee: Callee, _ entry: CallEntry, offer: String) throws(SIPOrderError) -> SIPCallOrder {
        var credentials: SIPCredentials?
        if let username = callee.trunk.username, let password = callee.trunk.password {
            credentials = SIPCredentials(username: username, password: password)
        }
        let headers = callee.step.headers.sorted { $0.key < $1.key }.map { SIPHeaderField(name: $0.key, value: $0.value) }
        let limit = callee.step.ringSeconds.map { TimeAmount.seconds(Int64($0)) }
        return try SIPCallOrder(
            id: callee.sip, number: callee.number, targets: targets(of: callee.trunk), from: callerID(callee.step, entry), headers: headers,
            offer: offer, credentials: credentials, maxForwards: entry.maxForwards, ringLimit: limit ?? SIPCallOrder.defaultRingLimit,
            path: entry.path)
    }

    /// The plan's caller id, else the caller's own number. A browser has none, nor a call that the API ordered without one, and one that
    /// is withheld is not shown.
    func callerID(_ step: TrunkStep, _ entry: CallEntry) -> SIPCallerID {
        if let given = step.callerID { return SIPCallerID(user: given) }
        let isHidden = entry.isBrowser || entry.withholdsNumber || entry.decision.from.e164.isEmpty
        return isHidden ? .anonymous : SIPCallerID(user: entry.decision.from.e164)
    }

    /// Every address of every host, in order. A host that wants TLS is left out while that is not built: never in the clear.
    func targets(of trunk: Trunk) -> [SIPTarget] {
        trunk.hosts.flatMap { host -> [SIPTarget] in
            guard !host.isSecure, let transport = host.transport.map({ SIPTransport(rawValue: $0.rawValue) }) ?? .udp else { return [] }
            let addresses = host.address == nil ? settings.addresses(host.host) : [host.host]
            return addresses.map {
                SIPTarget(
                    host: host.host, port: host.port, transport: transport, address: SIPAddress(host: $0, port: host.port ?? Self.defaultPort))
            }
        }
    }

    /// Of SIP over UDP and TCP (RFC 3261 19.1.2).
    private static let defaultPort = 5060

    // MARK: What the callee does

    func progressed(_ sip: SIPCallID, status: Int, answer: String?) {
        guard let entry = entry(of: sip), let callee = callee(sip, of: entry.id) else { return }
        let (id, outlets, isRinging) = (entry.id, outlets, status == 180)
        entry.logger.debug("callee: \(status)\(answer == nil ? "" : " with early media")")
        if isRinging || answer != nil { reportRinging(sip, id) }
        // Of several phones nobody can hear all: the caller hears that it rings.
        if callee.branch != nil { return handle(.calleeProgressed(id, sip, isRinging: isRinging || answer != nil, hasMedia: false)) }
        if answer != nil { note("The called party is heard before its answer.", id) }
        guard let answer else { return handle(.calleeProgressed(id, sip, isRinging: isRinging, hasMedia: false)) }
        outlets.media(entry.loop) { loop, now in
            loop.perform(on: id, now: now) { call in
                let result = call.takeAnswer(answer, isFinal: false, now: now)
                if case .failure(let error) = result { call.logger.info("early media left out: \(error.description)") }
                outlets.post(.calleeProgressed(id, sip, isRinging: isRinging, hasMedia: (try? result.get()) != nil))
            }
        }
    }

    func answered(_ sip: SIPCallID, _ answer: String?) {
        guard let entry = entry(of: sip), let callee = callee(sip, of: entry.id), picks(callee, answer, entry) else { return }
        let (id, outlets) = (entry.id, outlets)
        outlets.media(entry.loop) { loop, now in
            loop.perform(on: id, now: now) { call in
                if callee.branch != nil { call.pick(sip, now: now) }
                outlets.post(.calleeAnswered(id, sip, call.takeAnswer(answer ?? "", isFinal: true, now: now)))
            }
        }
    }

    func calleeAnswered(_ id: CallID, _ sip: SIPCallID, _ result: Result<Void, TrunkMediaError>) {
        guard let callee = callee(sip, of: id) else { return }
        switch result {
        case .success:
            entries[id]?.update(sip) { $0.isAnswered = true }
            entries[id]?.record.stepTook(at: callee.branch?.recordStep)
            note("Trunk \(callee.trunk.name) answered.", id)
            count(callee, "answered")
            reportAnswer(sip, id)
            letGoOthers(id)
            update(id) { $0.stepTook(into: &$1) }
        case .failure(let error):
            entries[id]?.logger.warning("the callee's answer cannot be used: \(error.description)")
            let reason = SIPReason(cause: 488, text: "The answer cannot be used.")
            outlets.sip { $0.hangUp(sip, reason: reason, now: $1, into: &$2) }
            giveUp(callee, CallEnd(.failed, sipStatus: 502), id)
        }
    }

    func failed(_ sip: SIPCallID, _ failure: SIPFailure) {
        guard let entry = entry(of: sip), let callee = callee(sip, of: entry.id) else { return }
        entry.logger.info("call by trunk failed: \(failure)", metadata: ["trunk": "\(callee.trunk.name)", "sip_code": "\(failure.status)"])
        giveUp(callee, CallEnd(failure), entry.id, triesNext: failure.isTrunks)
    }

    func calleeEnded(_ sip: SIPCallID, _ end: SIPEnd) {
        guard let entry = entry(of: sip), let callee = callee(sip, of: entry.id) else { return }
        reportEnd(of: callee.status, number: callee.number, callee.isAnswered ? "completed" : "failed", entry.id)
        forget(callee, entry.id)
        // The call may go on without the trunk.
        limits.leave(callee.trunk.name, call: entry.id)
        let end =
            switch end {
            case .hungUp: CallEnd(.calleeHangup)
            case .noAcknowledgement, .transportLost: CallEnd(.connectionLost, detail: "The SIP connection to the called party broke.")
            }
        update(entry.id) { $0.calleeEnded(end, into: &$1) }
    }

    // MARK: Letting go

    /// The callee does not take the call: the next trunk is tried, or the step has failed.
    private func giveUp(_ callee: Callee, _ failure: CallEnd, _ id: CallID, triesNext: Bool = true) {
        guard let entry = entries[id] else { return }
        forget(callee, id)
        limits.leave(callee.trunk.name, call: id)
        entries[id]?.record.stepFailed(failure, at: callee.branch?.recordStep)
        note("Trunk \(callee.trunk.name): \(failure.detail)", id)
        count(callee, failure.reason.rawValue)
        let rest = triesNext ? callee.rest : []
        if let branch = callee.branch { return branchFailed(callee, branch, rest: rest, after: failure, entry) }
        outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.dropCallee(now: now) } }
        tryTrunks(callee.step, rest, number: callee.number, after: failure, callee.status, id)
    }

    func forget(_ callee: Callee, _ id: CallID) {
        bySIP[callee.sip] = nil
        if entries[id]?.callee?.sip == callee.sip { entries[id]?.callee = nil }
        entries[id]?.branches.removeAll { $0.sip == callee.sip }
    }

    /// The call ends: CANCEL while the callee rings, BYE once it answered.
    func letGo(_ entry: CallEntry, _ end: CallEnd) {
        letGoOfUser(entry, end)
        for callee in entry.phones { letGo(callee, entry.id, end) }
    }

    func letGo(_ callee: Callee, _ id: CallID, _ end: CallEnd) {
        reportEnd(of: callee.status, number: callee.number, callee.isAnswered ? "completed" : "canceled", id)
        forget(callee, id)
        if !callee.isAnswered { count(callee, end.reason.rawValue) }
        guard callee.isOrdered else { return }
        let reason = SIPReason(cause: end.sipStatus, text: end.detail)
        outlets.sip { $0.hangUp(callee.sip, reason: reason, now: $1, into: &$2) }
    }

    private func count(_ callee: Callee, _ result: String) {
        figures.callsOut[CallOut(trunk: callee.trunk.name, result: result), default: 0] += 1
    }
}

extension CallEnd {
    /// What the failure of a call by a trunk means to the caller. Its hosts and its words stay in the log.
    init(_ failure: SIPFailure) {
        switch failure.kind {
        case .rejected(let status): self.init(EndReason(sipStatus: status), sipStatus: EndReason.passedOn(sipStatus: status))
        case .noAnswer: self.init(.noAnswer)
        case .unreachable, .authenticationFailed: self.init(.unreachable)
        case .loop: self.init(.unreachable, sipStatus: 482, detail: "The call came back to the gateway.")
        case .tooManyHops: self.init(.unreachable, sipStatus: 483, detail: "The call passed too many gateways.")
        }
    }
}

extension SIPFailure {
    /// The trunk could not carry the call, so another one may; else the called party does not take it.
    var isTrunks: Bool {
        switch kind {
        case .unreachable, .authenticationFailed: true
        case .rejected(let status): status == 408 || (500..<600).contains(status)
        case .noAnswer, .loop, .tooManyHops: false
        }
    }
}
