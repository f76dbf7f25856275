import Transcode

/// What is left out of the Opus toward a peer that wants it so (`usedtx`, RFC 7587 sections 3.1.3 and 6.1).
///
/// The first frame of silence goes out and says that silence follows, as libwebrtc has it: the peer then fills what is left out,
/// and does not conceal it as lost. About every 400 ms the encoder brings the noise up to date by a whole frame, and the pause is
/// said again after it. Timestamps go on, sequence numbers do not, and the first packet after a pause carries the marker
/// (RFC 3551 section 4.1).
struct SendingPauses {
    /// Bytes of a payload that stands for silence; 0 where every frame is sent.
    private var largestSilence = 0
    private var isAnnounced = false
    /// A frame was left out, and nothing sent since.
    private var isOpen = false

    init(_ settings: OpusEncoder.Settings) { change(settings) }

    /// What the peer wants from now on.
    mutating func change(_ settings: OpusEncoder.Settings) {
        largestSilence = settings.usesDTX ? OpusPacket.largestDTXPayload : 0
    }

    /// - Parameters:
    ///   - bytes: of the next payload; 0 where there is none
    ///   - begins: it begins a stretch of its own
    /// - Returns: whether its packet carries the marker; nil: it is not sent.
    mutating func marker(bytes: Int, begins: Bool) -> Bool? {
        if bytes > largestSilence { return marker(begins: begins) }
        guard bytes > 0 else { return nil }
        guard !isAnnounced else {
            isOpen = true
            return nil
        }
        let marker = marker(begins: begins)
        isAnnounced = true
        return marker
    }

    /// The same of a payload that is sent whatever it is.
    mutating func marker(begins: Bool) -> Bool {
        defer { (isAnnounced, isOpen) = (false, false) }
        return begins || isOpen
    }
}
