/// The flags of a binary message of `tandem.media.v1`.
enum TandemFlags {
    /// Samples are missing before this message.
    static let discontinuity: UInt8 = 1
    /// The gateway's only: part of the sound was made up in place of packets that were lost.
    static let concealed: UInt8 = 4
}
