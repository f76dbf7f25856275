/// What became of a REFER of ours (RFC 3515), as the far end tells. The last two are the end of it.
public enum SIPReferral: Hashable, Sendable {
    /// It is being tried.
    case accepted
    /// The far end's own call rings.
    case ringing
    /// The far end's own call was answered. Ending this call is ours to do.
    case succeeded
    /// The status that the far end gave, or got; 408 when nothing more was heard of it.
    case failed(status: Int)
}
