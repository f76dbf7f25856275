import Dialplan

/// What the gateway does by itself when the caller speaks over the agent.
enum BargeInPolicy: Sendable, Equatable {
    /// Nothing.
    case off
    /// The agent is told.
    case report
    /// The agent's speech becomes quieter while the caller speaks.
    case duck
    /// The agent's queued speech is dropped.
    case flush

    init(_ step: AgentStep.BargeIn) {
        switch step {
        case .off: self = .off
        case .report: self = .report
        case .duck: self = .duck
        case .flush: self = .flush
        }
    }
}
