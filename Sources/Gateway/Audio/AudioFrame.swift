import RTP
import SDP

/// A piece of sound on its way from one port to the other. Its pointers are valid only during the call that passes it on.
struct AudioFrame {
    /// Mono samples at the bridge's rate. May be changed in place by whoever receives the frame.
    var samples: UnsafeMutableBufferPointer<Int16>
    /// The position of the first sample on the source's own media clock, in samples of the bridge's rate; never wraps.
    var mediaTime: Int64
    /// Where the sound came from.
    var origin: Origin
    /// The source began a new axis with this frame (new SSRC, new codec, a jump): `mediaTime` does not continue the last one's.
    var startsAxis: Bool
    /// The received payload these samples were decoded from, for a port that can pass it on without transcoding.
    var payload: UnsafeRawBufferPointer?
    /// The codec of `payload`.
    var codec: AudioCodec?
    /// It may be no more than the echo of what is played to a line that is not learnt yet.
    var mayBeEcho = false
    /// All that sounds in it is the fading end of speech that was cut off: whoever holds sound back may forget that too.
    var isCut = false
    /// What of it counts.
    var form = Form.sound

    enum Form: Sendable {
        /// The samples; `payload` may stand for them where it is the same.
        case sound
        /// `payload`, Opus to be passed on untouched; of `samples` only the count, which is the packet's length.
        case packet
        /// `payload`, Opus to be passed on untouched; the samples are decoded from it.
        case decodedPacket
        /// The samples stand in for a packet that did not come: for whoever listens on the way, not for whoever takes packets.
        case substitute
    }

    enum Origin: Sendable {
        /// Decoded from a packet.
        case received
        /// A lost packet, restored from the one after it (Opus in-band FEC).
        case recovered
        /// A lost packet, concealed by the decoder.
        case concealed
        /// Nothing was sent: silence or comfort noise that keeps the stream without gaps.
        case filler
    }
}
