import NIOConcurrencyHelpers
import NIOCore

/// Places WHIP calls and keeps the table of their sessions: the observer of a call reports from any thread.
final class WHIPSessions: Sendable {
    private let calls: any BrowserCalls
    private let table = NIOLockedValueBox(WHIPSessionTable())
    private let now: @Sendable () -> NIODeadline

    /// - Parameter now: the clock; another one in tests.
    init(calls: any BrowserCalls, now: @escaping @Sendable () -> NIODeadline = { .now() }) {
        self.calls = calls
        self.now = now
    }

    /// Offers a call and, if it is taken, opens its session.
    /// - Parameter browserUfrags: the ICE username fragments the offer names.
    func offer(
        to: String, sdp: String, parameters: [String: String], source: String, browserUfrags: Set<String>
    ) async -> Result<BrowserCallAnswer, BrowserCallRefusal> {
        let ticket = table.withLockedValue { $0.begin(now: now()) }
        let request = BrowserCallRequest(to: to, sdp: sdp, parameters: parameters, source: source, hearsTones: true) { [table, now] event in
            guard case .ended(let end) = event else { return }
            table.withLockedValue { $0.ended(ticket, end, now: now()) }
        }
        let result = await calls.offer(request)
        table.withLockedValue { table in
            switch result {
            case .success(let answer):
                let session = WHIPSessionTable.Session(entityTag: Self.entityTag(answer.iceUfrag), browserUfrags: browserUfrags)
                table.taken(ticket, as: answer.call, session: session, now: now())
            case .failure:
                table.refused(ticket)
            }
        }
        return result
    }

    func find(_ call: CallID) -> WHIPSessionTable.Lookup {
        table.withLockedValue { $0.find(call, now: now()) }
    }

    func hangUp(_ call: CallID) {
        calls.hangUp(call)
        table.withLockedValue { $0.hungUp(call, now: now()) }
    }

    /// Restarts ICE; nil if the call is over.
    func restart(_ call: CallID, ufrag: String, password: String) async -> (fragment: String, entityTag: String)? {
        guard let restart = await calls.restart(call, ufrag: ufrag, password: password) else { return nil }
        let entityTag = Self.entityTag(restart.ufrag)
        table.withLockedValue {
            $0.restarted(call, session: .init(entityTag: entityTag, browserUfrags: [ufrag]))
        }
        return (restart.fragment, entityTag)
    }

    /// A strong entity tag; the characters of a fragment (RFC 8839 section 5.4) need no escape.
    static func entityTag(_ ufrag: String) -> String {
        "\"\(ufrag)\""
    }
}
