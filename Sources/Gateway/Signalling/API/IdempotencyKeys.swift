import NIOConcurrencyHelpers
import NIOCore

/// What was answered to requests with an `Idempotency-Key`: a client that does not know whether its request came through sends it
/// again, and no second call is placed. Only what succeeded is kept: what was refused may be tried again.
final class IdempotencyKeys<Question: Sendable & Equatable>: Sendable {
    enum Finding: Equatable {
        /// Nobody used the key: go on, and `finish` with it.
        case new
        /// The same request is being dealt with.
        case running
        case answered(JSONValue)
        /// The key stands for another request.
        case differs
        /// The same request was being dealt with when the process ended: nobody knows what came of it.
        case lost
    }

    private struct Entry {
        var question: Question
        var answer: JSONValue?
        var at: NIODeadline
        var isLost = false
    }

    private struct State {
        var entries: [String: Entry] = [:]
        /// In the order of their time.
        var order: [(key: String, at: NIODeadline)] = []
    }

    private let state = NIOLockedValueBox(State())

    /// - Parameter kept: those of an earlier process, the oldest first
    init(kept: [(key: String, question: Question, answer: JSONValue?, at: NIODeadline)] = []) {
        state.withLockedValue { state in
            for one in kept {
                state.entries[one.key] = Entry(question: one.question, answer: one.answer, at: one.at, isLost: one.answer == nil)
                state.order.append((one.key, one.at))
            }
        }
    }

    static var lifetime: TimeAmount { .hours(24) }
    /// More are not kept, the oldest first: about 20 MB.
    static var limit: Int { 10_000 }

    func begin(_ key: String, _ question: Question, now: NIODeadline) -> Finding {
        state.withLockedValue { state in
            Self.expire(&state, now: now)
            if let entry = state.entries[key] {
                guard entry.question == question else { return .differs }
                return entry.answer.map(Finding.answered) ?? (entry.isLost ? .lost : .running)
            }
            state.entries[key] = Entry(question: question, at: now)
            state.order.append((key, now))
            return .new
        }
    }

    /// - Parameter answer: nil forgets the key.
    func finish(_ key: String, _ answer: JSONValue?) {
        state.withLockedValue { state in
            if let answer { state.entries[key]?.answer = answer } else { state.entries[key] = nil }
        }
    }

    private static func expire(_ state: inout State, now: NIODeadline) {
        let old = max(state.order.prefix { $0.at + lifetime <= now }.count, state.order.count - limit)
        for (key, at) in state.order.prefix(max(0, old)) where state.entries[key]?.at == at { state.entries[key] = nil }
        state.order.removeFirst(max(0, old))
    }
}
