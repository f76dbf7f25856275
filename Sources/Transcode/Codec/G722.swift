/// What both directions of a G.722 stream agree on (ITU-T G.722 in mode 1, RFC 3551 section 4.5.2).
public enum G722 {
    /// Samples a second. The RTP clock counts 8000 all the same, an error of old that became the standard.
    public static let rate = 16_000
    /// Bits a second.
    static let bitrate: Int32 = 64_000
}
