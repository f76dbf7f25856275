import CShims
import Glibc
import Logging
import NIOCore
import RTP
import Synchronization

/// Turns the crank of a media loop on its NIO event loop, and is the only door to it from other threads.
///
/// One absolute callback, re-armed: `scheduleRepeatedTask` drifts. The next turn is never sooner than 0.2 ms from now, for one
/// re-armed into the past runs again before NIO polls its sockets; skipped turns are skipped.
///
/// The way through the event loop is a tenth of what 20 calls cost, so the thread sleeps between some turns by itself, as long as
/// nobody wants the event loop. With few calls most turns would find nothing: then it sleeps on until something comes or is due.
final class MediaLoopDriver: NIOScheduledCallbackHandler, @unchecked Sendable {
    let eventLoop: any EventLoop
    private let loop: MediaLoop
    private var next: NIODeadline
    private var callback: NIOScheduledCallback?
    private var isStopped = false
    private let streams: any StreamSet
    /// Things asked of the event loop and not yet done.
    private let requests = Atomic(0)

    /// Between turns while a call is up: adds half of it to the delay on average.
    private static let busy = TimeAmount.milliseconds(1)
    /// Between turns while there is none: nothing can come that means anything, and every call begins with `execute`. Less than what
    /// the loop takes for a stall; often enough that strays do not fill the sockets and a full loop sees that it is empty.
    private static let idle = TimeAmount.milliseconds(250)
    private static let shortest = TimeAmount.microseconds(200)
    /// Time after which the event loop is due in any case, for its timers.
    private static let longestStay = TimeAmount.milliseconds(8)
    /// The most that what is asked of the loop may wait while it sleeps on.
    private static let longestSleep = TimeAmount.milliseconds(4)
    /// With more calls something comes in nearly every millisecond.
    private static let fewCalls = 5

    /// - Parameters:
    ///   - streams: the agents' connections of this loop
    ///   - makeLoop: makes the loop, which belongs to the event loop from here on.
    init(eventLoop: any EventLoop, streams: any StreamSet, makeLoop: () -> MediaLoop) {
        self.eventLoop = eventLoop
        self.streams = streams
        loop = makeLoop()
        next = .now()
    }

    func start() {
        eventLoop.execute {
            tandem_sleep_exactly()
            self.turn()
        }
    }

    /// Closes the loop's sockets; nothing runs afterwards.
    func stop() -> EventLoopFuture<Void> {
        submit {
            guard !self.isStopped else { return }
            self.isStopped = true
            self.callback?.cancel()
            self.loop.environment.io.close()
        }
    }

    /// Runs `body` on the loop, after what was asked before.
    func execute(_ body: @escaping @Sendable (MediaLoop, NIODeadline) -> Void) {
        requests.add(1, ordering: .relaxed)
        eventLoop.execute {
            self.requests.subtract(1, ordering: .relaxed)
            guard !self.isStopped else { return }
            body(self.loop, .now())
            self.hurry()
        }
    }

    func snapshot() -> EventLoopFuture<MediaLoopSnapshot> {
        submit { self.loop.snapshot() }
    }

    private func submit<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> EventLoopFuture<Result> {
        requests.add(1, ordering: .relaxed)
        return eventLoop.submit {
            self.requests.subtract(1, ordering: .relaxed)
            return body()
        }
    }

    private func turn() {
        guard !isStopped else { return }
        let latest = NIODeadline.now() + Self.longestStay
        turnOnce()
        while mayStay, next < latest {
            sleep(until: next)
            if loop.calls.count <= Self.fewCalls { sleepOn(until: latest) }
            turnOnce()
        }
        arm()
    }

    private func turnOnce() {
        MediaPath.enter()
        loop.turn(now: .now())
        MediaPath.leave()
        let period = loop.calls.isEmpty ? Self.idle : Self.busy
        next = max(.now() + Self.shortest, next + period)
    }

    private var mayStay: Bool { !loop.calls.isEmpty && streams.channels == 0 && requests.load(ordering: .relaxed) == 0 }

    private func sleep(until deadline: NIODeadline) {
        let (seconds, nanoseconds) = deadline.uptimeNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds))
        clock_nanosleep(CLOCK_MONOTONIC, Int32(TIMER_ABSTIME), &time, nil)
    }

    /// Until something comes or is due.
    private func sleepOn(until latest: NIODeadline) {
        let due = min(loop.nextDue, latest, next + Self.longestSleep)
        guard due > .now() + Self.shortest else { return }
        streams.awaitInput(until: due)
        next = .now()
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
