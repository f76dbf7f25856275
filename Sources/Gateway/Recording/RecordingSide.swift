/// Whose sound it is, and on which channel of a recording it goes.
enum RecordingSide: Int, CaseIterable, Sendable {
    /// On the left.
    case caller = 0
    /// The agent, or the phone that was called: on the right.
    case farEnd = 1
}
