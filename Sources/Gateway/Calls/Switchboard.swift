import Foundation
import Logging
import NIOCore
import RTCStack
import SIPStack

/// The control plane: one ordered stream of events, dealt with one after the other by `SwitchboardCore`.
actor Switchboard: BrowserCalls {
    let core: SwitchboardCore
    private let events: AsyncStream<SwitchboardEvent>
    private let continuation: AsyncStream<SwitchboardEvent>.Continuation
    private let outlets: any SwitchboardOutlets

    /// - Parameters:
    ///   - settings: replaced by `reload`
    ///   - outlets: makes the outlets from the way back to the switchboard
    ///   - records: gets the record of every call that is over
    ///   - recorder: writes what is recorded
    init(
        settings: SwitchboardSettings, logger: Logger, records: @escaping CallRecordSink = { _ in }, recorder: Recorder? = nil,
        outlets: (@escaping @Sendable (SwitchboardEvent) -> Void) -> any SwitchboardOutlets
    ) {
        let (stream, continuation) = AsyncStream<SwitchboardEvent>.makeStream()
        events = stream
        self.continuation = continuation
        self.outlets = outlets { continuation.yield($0) }
        core = SwitchboardCore(
            settings: settings, outlets: self.outlets, logger: logger, clock: { Date() }, records: records, recorder: recorder)
    }

    /// Deals with events until `stop`.
    func run() async {
        for await event in events { core.handle(event) }
    }

    nonisolated func post(_ event: SwitchboardEvent) { continuation.yield(event) }

    nonisolated func stop() { continuation.finish() }

    nonisolated func figures() async -> SwitchboardFigures {
        await withCheckedContinuation { done in post(.barrier { done.resume(returning: $0) }) }
    }

    /// No new calls; returns when none is left.
    nonisolated func drain() async {
        await withCheckedContinuation { done in post(.drain(finished: { done.resume() })) }
    }

    // MARK: BrowserCalls

    nonisolated func offer(_ request: BrowserCallRequest) async -> Result<BrowserCallAnswer, BrowserCallRefusal> {
        await withCheckedContinuation { done in post(.offer(request, reply: { done.resume(returning: $0) })) }
    }

    func restart(_ call: CallID, ufrag: String, password: String) async -> BrowserRestart? {
        guard let loop = core.entries[call]?.loop else { return nil }
        let remote = ICECredentials(ufrag: ufrag, password: password)
        return await onLoop(loop) { $0.restartBrowserCall(call, remote: remote, now: $1) }
    }

    func restart(_ call: CallID, offer text: String) async -> Result<BrowserCallAnswer, BrowserCallRefusal> {
        let offer: BrowserOffer
        do { offer = try BrowserOffer(parsing: text) } catch {
            return .failure(BrowserCallRefusal(httpStatus: error.httpStatus, end: CallEnd(.failed), detail: error.description))
        }
        guard let place = core.place(of: call),
            let answer = await onLoop(place.loop, { $0.reofferBrowserCall(place.call, isCallee: place.isCallee, offer: offer, now: $1) })
        else {
            return .failure(BrowserCallRefusal(httpStatus: 404, end: CallEnd(.failed), detail: "There is no such call."))
        }
        return .success(answer)
    }

    nonisolated func signIn(_ socket: UserSocket) { post(.signIn(socket)) }

    nonisolated func signOut(_ socket: UserSocket.ID) { post(.signOut(socket)) }

    nonisolated func accept(_ acceptance: CallAcceptance) async -> Result<BrowserCallAnswer, BrowserCallRefusal> {
        await withCheckedContinuation { done in post(.accept(acceptance, reply: { done.resume(returning: $0) })) }
    }

    nonisolated func decline(_ invitation: CallID, by socket: UserSocket.ID, status: Int) {
        post(.decline(invitation: invitation, by: socket, status: status))
    }

    nonisolated func hangUp(_ call: CallID, _ end: CallEnd) { post(.browserHungUp(call, end)) }

    nonisolated func press(_ digits: String, in call: CallID) {
        let digits = digits.compactMap { Digit($0)?.from(.info) }
        Task { await self.onMedia(of: call) { media, isCallee, now in
            for digit in digits { media.pressed(digit, byCallee: isCallee, now: now) }
        } }
    }

    nonisolated func send(_ message: CallMessage, in call: CallID) {
        Task { await self.pass(message, call) }
    }

    private func pass(_ message: CallMessage, _ session: CallID) {
        if let place = core.place(of: session) { core.browserSays(message, place.call) }
    }

    nonisolated func mute(_ on: Bool, in call: CallID) {
        Task { await self.onMedia(of: call) { media, isCallee, _ in
            if isCallee { media.callee?.port.setMuted(on) } else { media.mute(on) }
        } }
    }

    func figures(of session: CallID) async -> LegFigures? {
        guard let place = core.place(of: session) else { return nil }
        return await onLoop(place.loop) { loop, _ in
            loop.calls[place.call].flatMap { place.isCallee ? $0.callee : $0.caller }?.figures
        }
    }

    /// - Parameter body: is told whether the browser is the call's far end
    private func onMedia(of session: CallID, _ body: @escaping @Sendable (MediaCall, _ isCallee: Bool, NIODeadline) -> Void) {
        guard let place = core.place(of: session) else { return }
        outlets.media(place.loop) { loop, now in loop.perform(on: place.call, now: now) { body($0, place.isCallee, now) } }
    }

    private func onLoop<Value: Sendable>(
        _ loop: Int, _ body: @escaping @Sendable (MediaLoop, NIODeadline) -> Value
    ) async -> Value {
        await withCheckedContinuation { done in
            outlets.media(loop) { loop, now in done.resume(returning: body(loop, now)) }
        }
    }
}
