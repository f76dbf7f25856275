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
        /// Sockets that are open now, or being opened.
        var sessions = 0
        /// The rest is its own wish: it closed with 4503.
        var isDraining = false
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
            $0[address]?.isDraining = false
        }
    }

    func began(_ address: String) { reports.withLock { $0[address, default: Report()].sessions += 1 } }

    func ended(_ address: String) { reports.withLock { $0[address]?.sessions -= 1 } }

    /// It wants no calls for a while.
    func drains(_ address: String, now: NIODeadline) {
        reports.withLock {
            $0[address, default: Report()].restsUntil = now + Self.longestRest
            $0[address]?.isDraining = true
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
                report.isDraining = false
                report.restsUntil = now + min(Self.longestRest, .nanoseconds(Self.rest.nanoseconds << Int64(doublings)))
            }
            $0[address] = report
        }
    }

    /// The addresses to be dialled, in order: without those that rest, unless all do.
    /// - Parameter spread: which of them comes first; of those with equally many sessions the one that is written first
    func choose(_ addresses: [String], spread: Agent.Spread = .standby, now: NIODeadline) -> [String] {
        reports.withLock { reports in
            let awake = addresses.filter { address in reports[address]?.restsUntil.map { $0 <= now } ?? true }
            let chosen = awake.isEmpty ? addresses : awake
            guard spread == .leastLoaded else { return chosen }
            let loads = chosen.enumerated().map { (sessions: reports[$0.element]?.sessions ?? 0, place: $0.offset, address: $0.element) }
            return loads.sorted { ($0.sessions, $0.place) < ($1.sessions, $1.place) }.map(\.address)
        }
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
