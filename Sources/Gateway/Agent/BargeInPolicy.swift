import Dialplan

/// What the gateway does by itself when the caller speaks over the agent: the dial plan's word, or the agent's own.
typealias BargeInPolicy = AgentStep.BargeIn
