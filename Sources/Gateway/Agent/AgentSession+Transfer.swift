/// A call that the agent gives away, or that the caller holds.
extension AgentSession {
    func transferProgressed(_ progress: AgentTransferProgress) {
        if isPlayingOut { dialect.transfer(progress, to: transport) }
    }

    func consult(_ isConsulting: Bool) {
        guard isPlayingOut else { return }
        // Who was held or muted is not who is heard now.
        isMuted = false
        dialect.consult(isConsulting, to: transport)
        cut(.transfer)
    }

    func messageRefused(_ reference: Int64, status: Int) {
        if isPlayingOut { dialect.messageRefused(reference, status: status, to: transport) }
    }

    func callerChanged(_ state: CallerState) {
        if isPlayingOut { dialect.caller(state, to: transport) }
    }
}
