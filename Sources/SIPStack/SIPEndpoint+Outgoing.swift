import NIOCore

/// Calls of ours: ordering and taking them back, and the way from host to host (RFC 3261 8.1, 9.1, 13.2; RFC 3263 4.3).
extension SIPEndpoint {
    /// Begins a call. ``SIPOutput/progress(_:status:answer:from:)`` any number of times, then ``SIPOutput/answered(_:answer:from:)`` or
    /// ``SIPOutput/failed(_:_:)``, unless it is taken back before. An order whose handle was used already does nothing.
    public mutating func call(_ order: SIPCallOrder, now: NIODeadline, into out: inout [SIPOutput]) {
        guard outgoing[order.id] == nil, dialogs[order.id] == nil else { return }
        totals.callsOut += 1
        let call = OutgoingCall(order: order, callID: randomToken() + randomToken(), tag: randomToken(), now: now)
        outgoing[order.id] = call
        outgoingByTag[call.tag] = order.id
        guard order.maxForwards > 0 else {
            fail(order.id, .tooManyHops, status: 483, detail: "the call went through too many gateways (Max-Forwards)", now: now, into: &out)
            return
        }
        tryHost(order.id, now: now, into: &out)
    }

    /// Takes a call back before it is answered: CANCEL as soon as a provisional response allows it (RFC 3261 9.1); an answer that crosses
    /// it gets ACK and BYE. Nothing more is heard of the call. One that was answered meanwhile gets a BYE.
    public mutating func cancel(_ call: SIPCallID, reason: SIPReason? = nil, now: NIODeadline, into out: inout [SIPOutput]) {
        guard let outgoing = removeOutgoing(call) else {
            if call.isOutgoing { hangUp(call, reason: reason, now: now, into: &out) }
            return
        }
        totals.callsOutCancelled += 1
        withdraw(outgoing.transaction, reason: reason, now: now, into: &out)
    }

    // MARK: From host to host

    /// Sends the call to the host whose turn it is, or to the first after it that can be tried. Without one the call has failed.
    mutating func tryHost(_ id: SIPCallID, now: NIODeadline, into out: inout [SIPOutput]) {
        guard var call = outgoing[id] else { return }
        while call.order.targets.indices.contains(call.position) {
            if isHeld(call.target, now: now) {
                call.attempts.append(SIPAttempt(target: call.target, result: .waiting))
            } else if let listener = listener(for: call.target) {
                call.isRinging = false
                call.earlyAnswers = [:]
                call.ringLimit = now + call.order.ringLimit
                // Where nobody comes after it, patience costs nothing.
                let others = call.order.targets[(call.position + 1)...]
                let hasNext = others.contains { !isHeld($0, now: now) && self.listener(for: $0) != nil }
                call.hostLimit = hasNext ? now + call.order.hostLimit : nil
                outgoing[id] = call
                timers.schedule(.outgoing(id), at: call.deadline)
                let flow = SIPFlow(transport: call.target.transport, remote: call.target.address, listener: listener)
                sendInvite(id, flow: flow, now: now, into: &out)
                return
            } else {
                call.attempts.append(SIPAttempt(target: call.target, result: .transport))
            }
            call.position += 1
        }
        outgoing[id] = call
        failAfterLastHost(call, now: now, into: &out)
    }

    /// A host did not take the call; the next one may.
    mutating func leaveHost(_ id: SIPCallID, _ result: SIPAttempt.Result, now: NIODeadline, into out: inout [SIPOutput]) {
        guard var call = outgoing[id] else { return }
        call.attempts.append(SIPAttempt(target: call.target, result: result))
        if call.hasFurtherTargets { totals.hostsLeft += 1 }
        call.position += 1
        call.transaction = 0
        outgoing[id] = call
        tryHost(id, now: now, into: &out)
    }

    private mutating func failAfterLastHost(_ call: OutgoingCall, now: NIODeadline, into out: inout [SIPOutput]) {
        if let best = call.best {
            fail(call.order.id, best, now: now, into: &out)
        } else if call.attempts.contains(where: { $0.result == .silent }) {
            fail(call.order.id, .unreachable, status: 408, detail: "no host of the trunk answers", now: now, into: &out)
        } else {
            let held = call.order.targets.compactMap { heldHosts[HeldHost($0)] }.filter { $0 > now }.min()
            fail(
                call.order.id, .unreachable, status: 503, retryAfter: held.map { $0 - now },
                detail: held == nil ? "no host of the trunk can be connected" : "every host of the trunk asked not to be called for a while",
                now: now, into: &out)
        }
    }

    /// Ends a call with what the far end said.
    mutating func fail(_ id: SIPCallID, _ refusal: OutgoingCall.Refusal, now: NIODeadline, into out: inout [SIPOutput]) {
        let kind: SIPFailure.Kind
        let detail: String
        switch refusal.status {
        case 401, 407: (kind, detail) = (.authenticationFailed, "the trunk wants credentials, and none are configured")
        case 482: (kind, detail) = (.loop, "the call came back to where it had been")
        case 483: (kind, detail) = (.tooManyHops, "the call went through too many gateways (Max-Forwards)")
        case 300...399: (kind, detail) = (.rejected(status: refusal.status), "the far end redirects the call, which is not followed")
        default: (kind, detail) = (.rejected(status: refusal.status), "the far end answered \(refusal.status)")
        }
        fail(
            id, kind, status: refusal.status, reason: refusal.reason, cause: refusal.cause, retryAfter: refusal.retryAfter, detail: detail,
            now: now, into: &out)
    }

    mutating func fail(
        _ id: SIPCallID, _ kind: SIPFailure.Kind, status: Int, reason: String? = nil, cause: SIPReason? = nil, retryAfter: TimeAmount? = nil,
        detail: String, now: NIODeadline, into out: inout [SIPOutput]
    ) {
        guard let call = removeOutgoing(id) else { return }
        totals.callsOutFailed += 1
        out.append(
            .failed(
                id,
                SIPFailure(
                    kind: kind, status: status, reason: reason ?? StatusText.phrase(status), cause: cause, retryAfter: retryAfter,
                    attempts: call.attempts, detail: detail)))
    }

    /// The limits of one host: a silent one is left for the next, one that rings too long ends the call.
    mutating func expireOutgoing(_ id: SIPCallID, now: NIODeadline, into out: inout [SIPOutput]) {
        guard var call = outgoing[id] else { return }
        if call.ringLimit <= now {
            let number = call.transaction
            let isSilent = clientInvites[number]?.hasProvisional == false
            call.attempts.append(SIPAttempt(target: call.target, result: isSilent ? .silent : .noAnswer))
            outgoing[id] = call
            if isSilent {
                fail(id, .unreachable, status: 408, detail: "the host does not answer", now: now, into: &out)
            } else {
                fail(id, .noAnswer, status: 480, detail: "nobody answered in time", now: now, into: &out)
            }
            withdraw(number, reason: SIPReason(cause: 408, text: "No answer"), now: now, into: &out)
        } else if let limit = call.hostLimit, limit <= now {
            let number = call.transaction
            leaveHost(id, .silent, now: now, into: &out)
            withdraw(number, reason: SIPReason(cause: 408, text: "Too late"), now: now, into: &out)
        } else {
            timers.schedule(.outgoing(id), at: call.deadline)
        }
    }

    mutating func removeOutgoing(_ id: SIPCallID) -> OutgoingCall? {
        guard let call = outgoing.removeValue(forKey: id) else { return nil }
        outgoingByTag[call.tag] = nil
        timers.schedule(.outgoing(id), at: nil)
        return call
    }

    // MARK: Hosts that asked for a pause

    /// Keeps a 503's Retry-After for its host (RFC 3261 21.5.4), for five minutes at most: one host's word must not stop a trunk for a day.
    mutating func hold(_ target: SIPTarget, for time: TimeAmount, now: NIODeadline) {
        guard time > .zero else { return }
        heldHosts = heldHosts.filter { $0.value > now }
        guard heldHosts.count < Self.maximumHeldHosts else { return }
        heldHosts[HeldHost(target)] = now + min(time, Self.longestHold)
    }

    private func isHeld(_ target: SIPTarget, now: NIODeadline) -> Bool { heldHosts[HeldHost(target)].map { $0 > now } ?? false }

    private static let longestHold = TimeAmount.minutes(5)
    /// Hosts of trunks are configured, so there are few; the bound only keeps that promise.
    private static let maximumHeldHosts = 1_024

    /// Index of the listener a call leaves from: of the transport, if possible of the address family.
    private func listener(for target: SIPTarget) -> Int? {
        let listeners = configuration.listeners
        let isSixth = target.address.host.contains(":")
        return listeners.firstIndex { $0.transport == target.transport && $0.host.contains(":") == isSixth }
            ?? listeners.firstIndex { $0.transport == target.transport }
    }
}

/// A host as a 503 means it.
struct HeldHost: Hashable, Sendable {
    let transport: SIPTransport
    let address: SIPAddress

    init(_ target: SIPTarget) {
        transport = target.transport
        address = target.address
    }
}
