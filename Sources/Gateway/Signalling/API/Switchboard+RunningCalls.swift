extension Switchboard: RunningCalls {
    func runningCalls() -> [RunningCall] {
        core.entries.values.sorted { ($0.startedAt, $0.id.description) < ($1.startedAt, $1.id.description) }.map { entry in
            RunningCall(state: entry.call.stateName, record: entry.record)
        }
    }

    func endCall(_ id: CallID) -> Bool {
        guard let entry = core.entries[id], !entry.call.isEnding else { return false }
        hangUp(id, .byAdministrator)
        return true
    }

    func complete(_ id: CallID) -> Bool {
        guard let entry = core.entries[id], !entry.call.isEnding else { return false }
        let end = entry.call.isAnswered ? CallEnd(.agentHangup) : CallEnd(.rejected, sipStatus: 480, detail: "The agent ended the call.")
        hangUp(id, end)
        return true
    }

    func instruct(_ id: CallID, _ order: TwiMLOrder) -> Bool { core.instruct(id, order) }
}
