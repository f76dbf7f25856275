extension Switchboard: RunningCalls {
    func runningCalls() -> [RunningCall] {
        core.entries.values.sorted { ($0.startedAt, $0.id.description) < ($1.startedAt, $1.id.description) }.map { entry in
            var record = entry.record
            record.recording = entry.recording?.present
            return RunningCall(state: entry.call.stateName, record: record)
        }
    }

    func pauseRecording(_ isPaused: Bool, of id: CallID) -> Result<CallRecord.Recorded, RecordingRefusal> {
        core.pauseRecording(isPaused, of: id)
    }

    func endCall(_ id: CallID) -> Bool {
        guard let entry = core.entries[id], !entry.call.isEnding else { return false }
        hangUp(id, .byAdministrator)
        return true
    }

    nonisolated func placeCall(_ order: OutboundOrder) async -> Result<RunningCall, OutboundRefusal> {
        await withCheckedContinuation { done in post(.place(order, reply: { done.resume(returning: $0) })) }
    }

    nonisolated func transferCall(_ id: CallID, _ transfer: AgentTransfer) async -> Result<Void, TransferRefusal> {
        await withCheckedContinuation { done in post(.transfer(id, transfer, reply: { done.resume(returning: $0) })) }
    }

    func complete(_ id: CallID) -> Bool {
        guard let entry = core.entries[id], !entry.call.isEnding else { return false }
        let end = entry.call.isAnswered ? CallEnd(.agentHangup) : CallEnd(.rejected, sipStatus: 480, detail: "The agent ended the call.")
        hangUp(id, end)
        return true
    }

    func instruct(_ id: CallID, _ order: TwiMLOrder) -> Bool { core.instruct(id, order) }
}
