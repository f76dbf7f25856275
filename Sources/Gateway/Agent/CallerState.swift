/// What the caller's side does with the line, as an agent is told.
enum CallerState: String, Sendable {
    /// The phone holds the call: it hears nothing.
    case held
    /// The browser's microphone is off.
    case muted
    case resumed
}
