/// What is particular to a call that was ordered by Twilio's REST resource.
struct TwilioOrder: Sendable, Equatable {
    var account: String
    /// Done when the phone answers.
    var what: TwiMLOrder.What
    var callback: StatusCallback?
    /// Told who answered.
    var answererCallback: StatusCallback?
}
