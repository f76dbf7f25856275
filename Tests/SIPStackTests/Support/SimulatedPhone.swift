import NIOCore

@testable import SIPStack

/// A calling phone made of the client transactions, for runs against the endpoint over a bad network.
final class SimulatedPhone {
    private var caller: Caller
    private var invite: InviteClientTransaction?
    private var cancel: NonInviteClientTransaction?
    private var bye: NonInviteClientTransaction?
    /// The answer to the far end's BYE, repeated for every repetition.
    private var byeServer = NonInviteServerTransaction(isReliable: false, timers: SIPTimers())
    private(set) var finalStatus: Int?
    private(set) var timedOut = false
    private(set) var byeReceived = false
    private(set) var byeAnswered = false
    /// Messages to put on the network.
    var outbox: [[UInt8]] = []

    init(number: Int) {
        caller = Caller(callID: "lossy\(number)", tag: "phone\(number)", branch: "z9hG4bKlossy\(number)")
    }

    var isUp: Bool { finalStatus.map { (200..<300).contains($0) } == true && !byeReceived && bye == nil }
    var deadline: NIODeadline? { [invite?.deadline, cancel?.deadline, bye?.deadline, byeServer.deadline].compactMap { $0 }.min() }

    func call(now: NIODeadline) {
        var out: [TransactionOutput] = []
        invite = InviteClientTransaction(request: Array(caller.invite().utf8), isReliable: false, timers: SIPTimers(), now: now, into: &out)
        perform(out)
    }

    func giveUp(now: NIODeadline) {
        guard finalStatus == nil else { return }
        var out: [TransactionOutput] = []
        cancel = NonInviteClientTransaction(
            request: Array(caller.request("CANCEL").utf8), isReliable: false, timers: SIPTimers(), now: now, into: &out)
        perform(out)
    }

    func hangUp(now: NIODeadline) {
        var out: [TransactionOutput] = []
        bye = NonInviteClientTransaction(
            request: Array(caller.request("BYE", branch: "\(caller.branch)bye", sequence: 2).utf8), isReliable: false, timers: SIPTimers(), now: now,
            into: &out)
        perform(out)
    }

    func receive(_ bytes: [UInt8], now: NIODeadline) {
        let message = ParsedMessage(bytes)
        var out: [TransactionOutput] = []
        if message.method == "BYE" {
            if !byeReceived {
                byeReceived = true
                byeServer.respond(Array(CallTests.response(to: message, status: 200).utf8), status: 200, now: now, into: &out)
            } else {
                byeServer.receiveRequest(into: &out)
            }
        } else if let status = message.status {
            switch message["CSeq"].map({ String($0.drop { $0 != " " }.dropFirst()) }) {
            case "INVITE":
                if status >= 200, finalStatus == nil { caller.toTag = message.toTag }
                invite?.receive(status: status, acknowledgement: { [caller] in Array(caller.ack(branch: caller.branch).utf8) }, now: now, into: &out)
                // Every 2xx is acknowledged by the dialog (RFC 3261 13.2.2.4).
                if (200..<300).contains(status) { outbox.append(Array(caller.ack(branch: "\(caller.branch)ack").utf8)) }
                if status >= 200, finalStatus == nil { finalStatus = status }
            case "CANCEL": cancel?.receive(status: status, now: now, into: &out)
            default:
                bye?.receive(status: status, now: now, into: &out)
                if status >= 200 { byeAnswered = true }
            }
        }
        perform(out)
    }

    func expire(now: NIODeadline) {
        var out: [TransactionOutput] = []
        invite?.expire(now: now, into: &out)
        cancel?.expire(now: now, into: &out)
        bye?.expire(now: now, into: &out)
        byeServer.expire(now: now)
        perform(out)
    }

    private func perform(_ outputs: [TransactionOutput]) {
        for output in outputs {
            switch output {
            case .send(let bytes), .retransmit(let bytes): outbox.append(bytes)
            case .timedOut: timedOut = true
            case .response, .acknowledgement: break
            }
        }
    }
}
