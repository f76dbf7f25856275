/// An Opus packet of the caller on its way to an agent that takes packets. Valid only during the call that passes it on.
struct CallerPacket {
    var payload: UnsafeRawBufferPointer
    /// The first sample's place on the caller's clock for this agent, in samples of 48 kHz from 0 on.
    var position: Int64
    /// Its length in samples of 48 kHz.
    var samples: Int
    /// Samples are missing before it: lost, or never sent.
    var isAfterGap: Bool
}
