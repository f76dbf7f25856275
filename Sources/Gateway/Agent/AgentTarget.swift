/// A place where an agent can be reached.
struct AgentTarget {
    /// Under which its health is known; without credentials.
    var name: String
    /// Told what came of a dial.
    var health: AgentHealth?
    /// Makes a socket to it, which is not opened yet.
    var make: () -> any AgentTransport
}
