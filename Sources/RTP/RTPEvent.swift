import NIOCore

/// What a session tells its owner. Payload ranges are valid until the next call on the session that said it.
public enum RTPEvent {
    /// The next packet of sound, in order.
    case frame(RTPFrame)
    /// Packets before the frame that follows directly will not come: recover or conceal them.
    case lost(LostFrames)
    /// The stream goes on, but too far away to conceal what is between: reset the decoder.
    case gap(StreamGap)
    /// Silence follows, with noise that many decibels below overload, 0 to 127 (RFC 3389).
    case comfortNoise(level: UInt8)
    /// A key was pressed or let go (RFC 4733).
    case digit(TelephoneEventReceived)
    /// The peer's source said goodbye (RTCP BYE).
    case goodbye
    /// The peer misses this packet of ours, and it is worth sending again.
    case resend(sequence: UInt16)
}

/// One packet of sound.
public struct RTPFrame {
    /// The codec's bytes; empty where the packet carried none.
    public let payload: UnsafeRawBufferPointer
    public let payloadType: UInt8
    /// On the sender's axis, in units of the payload type's clock, never wrapping. Starts anew after `gap`.
    public let extendedTimestamp: Int64
    /// Never wrapping. Starts anew after `gap`.
    public let extendedSequence: Int64
    /// The sender's marker: usually the first packet after silence.
    public let marker: Bool
    /// When the packet came in, which for one held back is before it is passed on.
    public let arrival: NIODeadline
    /// The first frame of an SSRC, the very first one included: fresh decoder, new timestamp base.
    public let afterNewSource: Bool
    /// The packet was lost; this copy came with a later one (RFC 2198).
    public let isCopy: Bool
}

/// A hole in the sequence that is small enough to conceal.
public struct LostFrames {
    /// Frames missing. Never more than fit between the timestamps on both sides.
    public let count: Int
    /// The timestamp of the first one, on the axis of `RTPFrame.extendedTimestamp`.
    public let extendedTimestamp: Int64
    /// Timestamp units from one frame to the next.
    public let timestampStep: Int64
    /// The payload directly after the hole, for forward error correction of the last lost frame. `nil` where silence
    /// suppression leaves open which frame that packet followed.
    public let next: UnsafeRawBufferPointer?
}

/// A break that nothing can bridge.
public struct StreamGap: Equatable, Sendable {
    public enum Reason: Sendable {
        /// A new SSRC took over.
        case newSource
        /// The sender's sequence numbers began anew with the same SSRC.
        case restart
        /// More than two seconds are missing, or the sender's clock was set back.
        case jump
        /// The sender went on in a format with another clock.
        case clockChange
    }

    public let reason: Reason
    /// Packets missing in a `jump`, else 0.
    public let lostPackets: Int
}

/// A key at the far end.
public enum TelephoneEventReceived: Equatable, Sendable {
    /// - digit: 0 to 9, 10 is *, 11 is #, 12 to 15 are A to D
    /// - timestamp: when it began, extended, on the axis of the frames
    case started(digit: UInt8, timestamp: Int64)
    /// - durationSamples: in units of `clockRate`, all segments of a long press together
    case ended(digit: UInt8, durationSamples: Int, clockRate: Int)
}
