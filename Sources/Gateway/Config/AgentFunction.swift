/// A function that the model may call and a webhook carries out.
public struct AgentFunction: Sendable, Equatable {
    public var name: String
    /// The definition as the model is told of it: a JSON object with `type`, `name`, `description` and `parameters`.
    public var definition: [UInt8]
}
