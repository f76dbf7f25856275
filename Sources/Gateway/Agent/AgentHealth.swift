import NIOCore
import Synchronization

/// What is known of the addresses of agents: an address that failed again and again is left out for a while, so that callers do not
/// wait for it (a circuit breaker). Used by every media loop, at dials only.
final class AgentHealth: Sendable {
    struct Report: Sendable, Equatable {
        var answered = 0
        var failed = 0
        /// Failures without an answer since.
        var failedInARow = 0
        /// Why the last dial failed.
        var lastFailure: String?
        /// Until then the address is left out; nil while it is dialled.
        var restsUntil: NIODeadline?
    }

    private let reports = Mutex<[String: Report]>([:])

    /// Failures in a row after which an address rests.
    static let limit = 3
    /// The first rest; each further failure doubles it.
    static let rest = TimeAmount.seconds(5)
    static let longestRest = TimeAmount.seconds(60)

    func answered(_ address: String) {
        reports.withLock {
            $0[address, default: Report()].answered += 1
            $0[address]?.failedInARow = 0
            $0[address]?.restsUntil = nil
        }
    }

    func failed(_ address: String, reason: String, now: NIODeadline) {
        reports.withLock {
            var report = $0[address] ?? Report()
            report.failed += 1
            report.failedInARow += 1
            report.lastFailure = reason
            if report.failedInARow >= Self.limit {
                let doublings = min(report.failedInARow - Self.limit, 8)
                report.restsUntil = now + min(Self.longestRest, .nanoseconds(Self.rest.nanoseconds << Int64(doublings)))
            }
            $0[address] = report
        }
    }

    /// The addresses to be dialled, in order: without those that rest, unless all do.
    func choose(_ addresses: [String], now: NIODeadline) -> [String] {
        let awake = reports.withLock { reports in
            addresses.filter { address in reports[address]?.restsUntil.map { $0 <= now } ?? true }
        }
        return awake.isEmpty ? addresses : awake
    }

    /// Of all addresses of an agent.
    struct Summary: Sendable, Equatable {
        var answered = 0
        var failed = 0
        /// How many addresses rest.
        var resting = 0
    }

    func summary(of addresses: [String], now: NIODeadline) -> Summary {
        reports.withLock { reports in
            addresses.reduce(into: Summary()) { sum, address in
                guard let report = reports[address] else { return }
                sum.answered += report.answered
                sum.failed += report.failed
                if let until = report.restsUntil, until > now { sum.resting += 1 }
            }
        }
    }

    func report(of address: String) -> Report { reports.withLock { $0[address] ?? Report() } }
}
