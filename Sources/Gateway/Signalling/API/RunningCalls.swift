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
    /// Pauses the recording of a call, or goes on with it.
    func pauseRecording(_ isPaused: Bool, of id: CallID) async -> Result<CallRecord.Recorded, RecordingRefusal>
}

extension CallEnd {
    /// Somebody ended the call by the API.
    static let byAdministrator = CallEnd(.refused, detail: "An administrator ended the call.")
}
