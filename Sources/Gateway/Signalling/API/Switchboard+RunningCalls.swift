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
}
