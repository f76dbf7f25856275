import CBench
import Foundation
import NIOCore
import NIOPosix

/// What waking once a millisecond costs, and how late it comes: by an absolute callback on a NIO event loop, as media loops do it, and
/// by a thread with a timerfd in its own epoll set (docs/decisions/0001-crank-on-nio.md).
enum CrankRows {
    static let title = "crank"
    private static let turns = 4000
    private static let rounds = 3

    static func run() throws {
        print("\n\(title): one wake-up a millisecond that finds nothing to do, median of \(rounds) rounds of \(turns) turns")
        print("                          CPU, % of a core   late, µs: p50 /    p99")
        let (callback, thread) = (try (0..<rounds).map { _ in try eventLoopTask() }, try (0..<rounds).map { _ in try ownThread() })
        show("callback of an event loop", callback)
        show("thread of its own", thread)
        fflush(nil)
    }

    private struct Figures {
        let share: Double
        /// Microseconds.
        let late: [Double]

        init(used: Int64, late: [Int64]) {
            share = 100 * Double(used) / (Double(late.count) * 1_000_000)
            self.late = late.map { Double($0) / 1000 }.sorted()
        }
    }

    private static func show(_ name: String, _ figures: [Figures]) {
        let late = figures.flatMap(\.late).sorted()
        print(
            "  " + name.padding(toLength: 28, withPad: " ", startingAt: 0)
                + String(
                    format: "%12.2f %17.0f / %6.0f", CallTable.median(figures.map(\.share)), late[late.count / 2],
                    late[late.count * 99 / 100]))
    }

    private static func ownThread() throws -> Figures {
        let queue = try open()
        defer { close(queue) }
        var late = [Int64](repeating: 0, count: turns)
        let before = bench_thread_nanoseconds()
        guard bench_crank_turn(queue, Int32(turns), &late) == 0 else { throw BenchFailure("the timer does not run") }
        return Figures(used: bench_thread_nanoseconds() - before, late: late)
    }

    private static func eventLoopTask() throws -> Figures {
        let queue = try open()
        defer { close(queue) }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { try? group.syncShutdownGracefully() }
        let loop = group.next()
        return try loop.flatSubmit { Crank(loop: loop, queue: queue).start() }.wait()
    }

    private static func open() throws -> Int32 {
        let queue = bench_crank_open()
        guard queue >= 0 else { throw BenchFailure("no epoll set") }
        return queue
    }

    /// As `MediaLoopDriver` does it. Confined to its loop.
    private final class Crank: NIOScheduledCallbackHandler, @unchecked Sendable {
        private let loop: any EventLoop
        private let queue: Int32
        private let promise: EventLoopPromise<Figures>
        private var next = NIODeadline.now()
        private var late: [Int64] = []
        private let before = bench_thread_nanoseconds()

        init(loop: any EventLoop, queue: Int32) {
            self.loop = loop
            self.queue = queue
            promise = loop.makePromise()
            late.reserveCapacity(CrankRows.turns)
        }

        func start() -> EventLoopFuture<Figures> {
            turn()
            return promise.futureResult
        }

        private func turn() {
            late.append((NIODeadline.now() - next).nanoseconds)
            _ = bench_crank_poll(queue)
            guard late.count < CrankRows.turns else {
                return promise.succeed(Figures(used: bench_thread_nanoseconds() - before, late: late))
            }
            next = max(.now() + .microseconds(200), next + .milliseconds(1))
            do {
                _ = try loop.scheduleCallback(at: next, handler: self)
            } catch {
                promise.fail(error)
            }
        }

        func handleScheduledCallback(eventLoop: some EventLoop) { turn() }
    }
}
