/// The caller begins or stops to speak.
struct CallerSpeech: Equatable {
    var hasBegun: Bool
    /// Where it began or stopped, on the caller's gap-free stream.
    var position: Int64
    /// The agent's speech was cut off by it.
    var interrupted = false
}
