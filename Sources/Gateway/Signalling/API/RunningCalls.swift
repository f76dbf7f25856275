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
    /// Places a call; returns as soon as its phone is being called.
    func placeCall(_ order: OutboundOrder) async -> Result<RunningCall, OutboundRefusal>
    /// Gives a call to somebody else.
    /// - Returns: whether that is being tried.
    func transferCall(_ id: CallID, _ transfer: AgentTransfer) async -> Result<Void, TransferRefusal>
    /// What is counted, and how many calls agents and trunks have.
    func figures() async -> SwitchboardFigures
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
