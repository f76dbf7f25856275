import Logging
import NIOCore
import RTP

/// Turns the crank of a media loop on its NIO event loop, and is the only door to it from other threads.
///
/// One absolute callback, re-armed: `scheduleRepeatedTask` drifts. The next turn is never sooner than 0.2 ms from now, for one
/// re-armed into the past runs again before NIO polls its sockets; skipped turns are skipped.
final class MediaLoopDriver: NIOScheduledCallbackHandler, @unchecked Sendable {
    let eventLoop: any EventLoop
    private let loop: MediaLoop
    private var next: NIODeadline
    private var callback: NIOScheduledCallback?
    private var isStopped = false

    /// Between turns while a call is up: adds half of it to the delay on average.
    private static let busy = TimeAmount.milliseconds(1)
    /// Between turns while there is none: nothing can come that means anything, and every call begins with `execute`. Less than what
    /// the loop takes for a stall; often enough that strays do not fill the sockets and a full loop sees that it is empty.
    private static let idle = TimeAmount.milliseconds(250)
    private static let shortest = TimeAmount.microseconds(200)

    /// - Parameter makeLoop: makes the loop, which belongs to the event loop from here on.
    init(eventLoop: any EventLoop, makeLoop: () -> MediaLoop) {
        self.eventLoop = eventLoop
        loop = makeLoop()
        next = .now()
    }

    func start() {
        eventLoop.execute { self.turn() }
    }

    /// Closes the loop's sockets; nothing runs afterwards.
    func stop() -> EventLoopFuture<Void> {
        eventLoop.submit {
            guard !self.isStopped else { return }
            self.isStopped = true
            self.callback?.cancel()
            self.loop.environment.io.close()
        }
    }

    /// Runs `body` on the loop, after what was asked before.
    func execute(_ body: @escaping @Sendable (MediaLoop, NIODeadline) -> Void) {
        eventLoop.execute {
            guard !self.isStopped else { return }
            body(self.loop, .now())
            self.hurry()
        }
    }

    func snapshot() -> EventLoopFuture<MediaLoopSnapshot> {
        eventLoop.submit { self.loop.snapshot() }
    }

    private func turn() {
        guard !isStopped else { return }
        let now = NIODeadline.now()
        MediaPath.enter()
        loop.turn(now: now)
        MediaPath.leave()
        let period = loop.calls.isEmpty ? Self.idle : Self.busy
        next = max(.now() + Self.shortest, next + period)
        arm()
    }

    /// Somebody wants something while the loop idles, a first call perhaps: it does not wait for the idle turn.
    private func hurry() {
        let soon = NIODeadline.now() + Self.busy
        guard next > soon else { return }
        next = soon
        callback?.cancel()
        arm()
    }

    /// A callback, not a task: that would be a promise and a closure, a thousand times a second. It fails when the event loop is over.
    private func arm() { callback = try? eventLoop.scheduleCallback(at: next, handler: self) }

    func handleScheduledCallback(eventLoop: some EventLoop) { turn() }
}
