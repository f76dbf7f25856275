/// A call that is not over.
struct RunningCall: Sendable {
    /// `routing`, `ringing`, `connected` or `ending`.
    var state: String
    var record: CallRecord
}

/// What the API may ask of the calls that run; the switchboard answers.
protocol RunningCalls: Sendable {
    /// In the order they began.
    func runningCalls() async -> [RunningCall]
    /// Ends a call for both of its ends.
    /// - Returns: false if there is no such call.
    func endCall(_ id: CallID) async -> Bool
    /// Ends a call as its agent does who hangs up by REST.
    /// - Returns: false if there is no such call.
    func complete(_ id: CallID) async -> Bool
    /// Has an answered call do something else.
    /// - Returns: false if there is no such call, or it is not answered.
    func instruct(_ id: CallID, _ order: TwiMLOrder) async -> Bool
}

extension CallEnd {
    /// Somebody ended the call by the API.
    static let byAdministrator = CallEnd(.refused, detail: "An administrator ended the call.")
}
