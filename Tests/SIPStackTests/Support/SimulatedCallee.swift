import NIOCore

@testable import SIPStack

/// A called phone made of the server transactions, for runs against the endpoint over a bad network.
final class SimulatedCallee {
    enum Script: CaseIterable { case answers, answersAndHangsUp, refuses, isBusyElsewhere, neverAnswers }

    private struct Call {
        let invite: ParsedMessage
        let tag: String
        var server: InviteServerTransaction
        var isFinal = false
        var success: SuccessRetransmission?
        var isAcknowledged = false
        var bye: NonInviteClientTransaction?
    }

    private let script: Script
    private var calls: [String: Call] = [:]
    private var others: [String: NonInviteServerTransaction] = [:]
    private var plans: [(at: NIODeadline, branch: String, action: (SimulatedCallee, NIODeadline) -> Void)] = []
    var outbox: [[UInt8]] = []
    private(set) var invites = 0
    private(set) var cancels = 0
    private(set) var byes = 0
    private(set) var acknowledged = 0
    private(set) var unacknowledged = 0

    init(_ script: Script) { self.script = script }

    var deadline: NIODeadline? {
        let times = calls.values.flatMap { [$0.server.deadline, $0.success?.deadline, $0.bye?.deadline] } + others.values.map(\.deadline)
        return (times + plans.map { .some($0.at) }).compactMap { $0 }.min()
    }

    private func branch(_ message: ParsedMessage) -> String { message["Via"]?.split(separator: ";").first { $0.hasPrefix("branch=") }.map(String.init) ?? "" }

    func receive(_ bytes: [UInt8], now: NIODeadline) {
        let message = ParsedMessage(bytes)
        let branch = branch(message)
        switch message.method {
        case "INVITE": invite(message, branch, now)
        case "ACK":
            guard let (key, call) = calls.first(where: { branch == $0.key || $0.value.tag == message.toTag && $0.value.success != nil }) else { return }
            var out: [TransactionOutput] = []
            if branch == key {
                calls[key]?.server.receiveAcknowledgement(now: now, into: &out)
            } else if !call.isAcknowledged {
                calls[key]?.isAcknowledged = true
                calls[key]?.success = nil
                acknowledged += 1
            }
        case "CANCEL", "BYE":
            if var other = others[branch] {
                var out: [TransactionOutput] = []
                other.receiveRequest(into: &out)
                others[branch] = other
                return perform(out)
            }
            answer(message, branch, now)
        case nil:
            guard let key = calls.first(where: { $0.value.bye != nil && message["CSeq"]?.hasSuffix("BYE") == true && message["Call-ID"] == $0.value.invite["Call-ID"] })?.key
            else { return }
            var out: [TransactionOutput] = []
            calls[key]?.bye?.receive(status: message.status ?? 0, now: now, into: &out)
            perform(out)
        default: break
        }
    }

    private func invite(_ message: ParsedMessage, _ branch: String, _ now: NIODeadline) {
        var out: [TransactionOutput] = []
        if calls[branch] != nil {
            calls[branch]?.server.receiveInvite(into: &out)
            return perform(out)
        }
        invites += 1
        let tag = "callee\(invites)"
        var server = InviteServerTransaction(isReliable: false, timers: SIPTimers())
        server.respond(Array(Callee.response(100, to: message, tag: nil).utf8), status: 100, now: now, into: &out)
        calls[branch] = Call(invite: message, tag: tag, server: server)
        perform(out)
        plans.append((now + .milliseconds(300), branch, { $0.respond(branch, 180, now: $1) }))
        switch script {
        case .answers, .answersAndHangsUp: plans.append((now + .seconds(3), branch, { $0.respond(branch, 200, now: $1) }))
        case .refuses: plans.append((now + .seconds(3), branch, { $0.respond(branch, 486, now: $1) }))
        case .isBusyElsewhere: plans.append((now + .seconds(1), branch, { $0.respond(branch, 503, now: $1) }))
        case .neverAnswers: break
        }
        if script == .answersAndHangsUp { plans.append((now + .seconds(20), branch, { $0.hangUp(branch, now: $1) })) }
    }

    private func respond(_ branch: String, _ status: Int, now: NIODeadline) {
        guard var call = calls[branch], !call.isFinal else { return }
        let host = call.invite.requestURI.split(separator: "@").last ?? ""
        let contact = status < 300 ? ["Contact: <sip:callee@\(host)>"] : []
        let bytes = Array(Callee.response(status, to: call.invite, tag: call.tag, extra: contact, body: status == 200 ? Harness.sdp : "").utf8)
        var out: [TransactionOutput] = []
        call.server.respond(bytes, status: status, now: now, into: &out)
        if status >= 200 { call.isFinal = true }
        if status == 200 {
            call.success = SuccessRetransmission(
                response: bytes, transaction: 0, sequence: 1, expectsAnswer: false, flow: Callee.flow, timers: SIPTimers(), now: now)
        }
        calls[branch] = call
        perform(out)
    }

    private func answer(_ message: ParsedMessage, _ branch: String, _ now: NIODeadline) {
        var out: [TransactionOutput] = []
        var server = NonInviteServerTransaction(isReliable: false, timers: SIPTimers())
        server.respond(Array(Callee.response(200, to: message, tag: "x").utf8), status: 200, now: now, into: &out)
        others[branch] = server
        perform(out)
        if message.method == "BYE" {
            byes += 1
            if let key = calls.first(where: { $0.value.tag == message.toTag })?.key { calls[key]?.success = nil }
        } else {
            cancels += 1
            respond(branch, 487, now: now)
        }
    }

    private func hangUp(_ branch: String, now: NIODeadline) {
        guard let call = calls[branch], call.isAcknowledged else { return }
        var out: [TransactionOutput] = []
        calls[branch]?.bye = NonInviteClientTransaction(
            request: Array(Callee.request("BYE", in: call.invite, tag: call.tag, sequence: 1).utf8), isReliable: false, timers: SIPTimers(), now: now,
            into: &out)
        perform(out)
    }

    func expire(now: NIODeadline) {
        var out: [TransactionOutput] = []
        for key in calls.keys.sorted() {
            calls[key]?.server.expire(now: now, into: &out)
            calls[key]?.bye?.expire(now: now, into: &out)
            switch calls[key]?.success?.expire(now: now) {
            case .retransmit: if let bytes = calls[key]?.success?.response { out.append(.retransmit(bytes)) }
            case .gaveUp:
                calls[key]?.success = nil
                unacknowledged += 1
            case .nothing, nil: break
            }
        }
        for key in others.keys.sorted() { others[key]?.expire(now: now) }
        let due = plans.filter { $0.at <= now }
        plans.removeAll { $0.at <= now }
        perform(out)
        for plan in due { plan.action(self, now) }
    }

    private func perform(_ outputs: [TransactionOutput]) {
        for output in outputs {
            switch output {
            case .send(let bytes), .retransmit(let bytes): outbox.append(bytes)
            case .timedOut, .response, .acknowledgement: break
            }
        }
    }
}
