import Foundation

/// A call in Twilio's words while it goes on: a whole one, or that of a phone that a `<Dial>` calls.
struct StatusSubscription: Sendable {
    let sid: CallID
    /// Who hears of it; nil for nobody.
    var callback: StatusCallback?
    /// Each event is told once, though several trunks may be tried.
    private(set) var told: Set<StatusCallback.Event> = []
    var answeredAt: Date?
    var endedAt: Date?

    init(sid: CallID, callback: StatusCallback?) {
        self.sid = sid
        self.callback = callback
    }

    /// Whether an event is to be told now.
    mutating func tells(_ event: StatusCallback.Event) -> Bool {
        guard let callback, callback.events.contains(event) else { return false }
        return told.insert(event).inserted
    }

    /// From the answer on, in whole seconds.
    func seconds(now: Date) -> Int { answeredAt.map { max(0, Int((endedAt ?? now).timeIntervalSince($0))) } ?? 0 }

    /// What the `action` of a `<Dial>` is told beside `DialCallStatus`.
    func dialFields(now: Date) -> [FormField] {
        [
            FormField("DialCallSid", TwilioCall.sid(sid)), FormField("DialCallDuration", "\(seconds(now: now))"),
            FormField("DialBridged", answeredAt == nil ? "false" : "true"),
        ]
    }
}
