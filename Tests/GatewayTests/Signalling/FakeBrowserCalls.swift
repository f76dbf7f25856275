import NIOConcurrencyHelpers
@testable import Gateway

/// A switchboard that does what a destination's name says, and tells what it was asked for.
final class FakeBrowserCalls: BrowserCalls {
    enum Action: Equatable {
        case offered(to: String, parameters: [String: String])
        case restarted(CallID, ufrag: String)
        case hungUp(CallID, EndReason)
        case pressed(String)
        case muted(Bool)
        case sent(CallMessage)
        case signedIn(String)
        case signedOut(String)
        case accepted(CallID, byUser: String?)
        case declined(CallID, byUser: String?, Int)
    }

    private struct State {
        var count: UInt64 = 0
        var observers: [CallID: @Sendable (BrowserCallEvent) -> Void] = [:]
        var restarts = 0
        var users: [UserSocket.ID: UserSocket] = [:]
        var held: [CheckedContinuation<Void, Never>] = []
        var actions: [Action] = []
        var waiting: [(Int, CheckedContinuation<Void, Never>)] = []
    }

    private let state = NIOLockedValueBox(State())

    /// The identifier of the nth call, counted from 1.
    static func call(_ number: UInt64) -> CallID {
        CallID(hexadecimal(0x5eed) + hexadecimal(number))!
    }

    func offer(_ request: BrowserCallRequest) async -> Result<BrowserCallAnswer, BrowserCallRefusal> {
        record(.offered(to: request.to, parameters: request.parameters))
        switch request.to {
        case "nobody": return refuse(404, .noRoute)
        case "forbidden": return refuse(403, .refused)
        case "codec": return refuse(406, .failed)
        case "broken": return refuse(400, .failed)
        case "closed": return refuse(503, .draining)
        case "slow": await withCheckedContinuation { continuation in state.withLockedValue { $0.held.append(continuation) } }
        case "early":
            request.observer(.ringing)
            request.observer(.connected)
        case "over": request.observer(.ended(CallEnd(.agentUnavailable)))
        default: break
        }
        let call = state.withLockedValue { state in
            state.count += 1
            let call = Self.call(state.count)
            state.observers[call] = request.observer
            return call
        }
        return .success(BrowserCallAnswer(call: call, sdp: "answer to \(request.to)", iceUfrag: "ours0"))
    }

    private func refuse(_ status: Int, _ reason: EndReason) -> Result<BrowserCallAnswer, BrowserCallRefusal> {
        .failure(BrowserCallRefusal(httpStatus: status, end: CallEnd(reason), detail: "Do something else than \(status)."))
    }

    func restart(_ call: CallID, ufrag: String, password: String) async -> BrowserRestart? {
        record(.restarted(call, ufrag: ufrag))
        guard ufrag != "lost" else { return nil }
        let number = state.withLockedValue { state in
            state.restarts += 1
            return state.restarts
        }
        return BrowserRestart(ufrag: "ours\(number)", fragment: "a=ice-ufrag:ours\(number)\r\n")
    }

    func restart(_ call: CallID, offer: String) async -> Result<BrowserCallAnswer, BrowserCallRefusal> {
        offer == "bad" ? refuse(400, .failed) : .success(BrowserCallAnswer(call: call, sdp: "answer to \(offer)", iceUfrag: "ours9"))
    }

    func hangUp(_ call: CallID, _ end: CallEnd) {
        record(.hungUp(call, end.reason))
        tell(call, .ended(end))
    }

    func press(_ digits: String, in call: CallID) { record(.pressed(digits)) }

    func send(_ message: CallMessage, in call: CallID) { record(.sent(message)) }

    func mute(_ on: Bool, in call: CallID) { record(.muted(on)) }

    /// Nothing is counted of calls that are not there.
    func figures(of call: CallID) async -> LegFigures? { nil }

    /// Reports something that happened to a call.
    func tell(_ call: CallID, _ event: BrowserCallEvent) {
        state.withLockedValue { $0.observers[call] }?(event)
    }

    /// Lets the offers to `slow` through.
    func release() {
        let held = state.withLockedValue { state in
            let held = state.held
            state.held = []
            return held
        }
        for continuation in held { continuation.resume() }
    }

    /// Whether an offer to `slow` has come and waits.
    var isHolding: Bool { state.withLockedValue { !$0.held.isEmpty } }

    /// The first `count` actions, once there are as many.
    func actions(_ count: Int) async -> [Action] {
        await withCheckedContinuation { continuation in
            let isThere = state.withLockedValue { state in
                guard state.actions.count < count else { return true }
                state.waiting.append((count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
        return state.withLockedValue { $0.actions }
    }

    // MARK: Users

    func signIn(_ socket: UserSocket) {
        state.withLockedValue { $0.users[socket.id] = socket }
        record(.signedIn(socket.user))
    }

    func signOut(_ socket: UserSocket.ID) {
        let user = state.withLockedValue { $0.users.removeValue(forKey: socket)?.user }
        record(.signedOut(user ?? "nobody"))
    }

    /// Tells every socket of a user.
    func tell(user: String, _ event: UserEvent) {
        for socket in state.withLockedValue({ $0.users.values.filter { $0.user == user } }) { socket.observer(event) }
    }

    func accept(_ acceptance: CallAcceptance) async -> Result<BrowserCallAnswer, BrowserCallRefusal> {
        record(.accepted(acceptance.invitation, byUser: user(at: acceptance.socket)))
        guard acceptance.sdp != "late" else { return refuse(410, .failed) }
        state.withLockedValue { $0.observers[acceptance.invitation] = acceptance.observer }
        return .success(BrowserCallAnswer(call: acceptance.invitation, sdp: "answer to \(acceptance.sdp)", iceUfrag: "ours0"))
    }

    func decline(_ invitation: CallID, by socket: UserSocket.ID, status: Int) {
        record(.declined(invitation, byUser: user(at: socket), status))
    }

    private func user(at socket: UserSocket.ID?) -> String? {
        state.withLockedValue { state in socket.flatMap { state.users[$0]?.user } }
    }

    private func record(_ action: Action) {
        let ready = state.withLockedValue { state in
            state.actions.append(action)
            let ready = state.waiting.filter { $0.0 <= state.actions.count }
            state.waiting.removeAll { $0.0 <= state.actions.count }
            return ready
        }
        for (_, continuation) in ready { continuation.resume() }
    }
}

/// A gateway that is ready or not, as told.
final class FakeHealth: GatewayHealth {
    private let ready = NIOLockedValueBox(true)

    var isReady: Bool { ready.withLockedValue { $0 } }

    func drain() { ready.withLockedValue { $0 = false } }

    func metricsText() async -> String { "# TYPE tandem_calls gauge\ntandem_calls 0\n" }
}
