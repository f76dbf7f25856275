import Logging
import NIOConcurrencyHelpers

/// Tells other systems what their calls do. The notices of one call arrive in order, each tried three times; nothing waits for them.
final class CallWebhooks: Sendable {
    /// Posts a content; returns the status of the answer.
    typealias Post = @Sendable (WebSocketAgentTransport.URL, WebhookContent) async throws -> Int

    private struct State {
        /// Of each call: its last notice.
        var last: [CallID: (number: UInt64, delivery: Task<Void, Never>)] = [:]
        var number: UInt64 = 0
        var waiting = 0
    }

    private let state = NIOLockedValueBox(State())
    private let post: Post
    private let pauses: [Duration]
    private let logger: Logger

    /// More are dropped: somebody's dead server must not fill the memory.
    static let waitingLimit = 2000
    /// Before the second and the third attempt.
    static let pauses: [Duration] = [.seconds(1), .seconds(5)]

    init(logger: Logger, pauses: [Duration] = CallWebhooks.pauses, post: @escaping Post) {
        self.logger = logger
        self.pauses = pauses
        self.post = post
    }

    func send(_ notice: CallNotice) {
        let isTaken = state.withLockedValue { state in
            guard state.waiting < Self.waitingLimit else { return false }
            state.waiting += 1
            state.number += 1
            let (number, before) = (state.number, state.last[notice.call]?.delivery)
            let delivery = Task {
                await before?.value
                await deliver(notice)
                finished(notice.call, number)
            }
            state.last[notice.call] = (number, delivery)
            return true
        }
        if !isTaken { log(notice, "too many notices wait") }
    }

    /// Lets what waits be tried once more at most, and returns when that is done.
    func close() async {
        let deliveries = state.withLockedValue { $0.last.values.map(\.delivery) }
        for delivery in deliveries { delivery.cancel() }
        for delivery in deliveries { await delivery.value }
    }

    private func finished(_ call: CallID, _ number: UInt64) {
        state.withLockedValue { state in
            state.waiting -= 1
            if state.last[call]?.number == number { state.last[call] = nil }
        }
    }

    private func deliver(_ notice: CallNotice) async {
        let content = notice.content
        var problem = ""
        for pause in [.zero] + pauses {
            if pause > .zero {
                do { try await Task.sleep(for: pause) } catch { return log(notice, problem) }
            }
            do {
                let status = try await post(notice.url, content)
                if (200..<300).contains(status) { return }
                problem = "its answer was \(status)"
                // The same again would get the same.
                if status < 500, status != 408, status != 429 { return log(notice, problem) }
            } catch { problem = "\(error)" }
        }
        log(notice, problem)
    }

    /// Without the path and query, which may hold a key.
    private func log(_ notice: CallNotice, _ problem: String) {
        logger.warning(
            "a status notice was not delivered: \(problem)", metadata: ["call": "\(notice.call)", "host": "\(notice.url.hostField)"])
    }
}
