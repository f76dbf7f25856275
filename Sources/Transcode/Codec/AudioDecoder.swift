/// One received audio stream: payloads in, mono samples out. Loop-confined: one instance belongs to one stream
/// on one event loop. Nothing is allocated per frame, nothing traps on what the network sent.
public protocol AudioDecoder: AnyObject {
    /// Samples a second of everything this decoder writes.
    var rate: Int { get }

    /// Decodes one payload.
    /// - Parameter output: room for the whole payload, at most 120 ms.
    /// - Returns: the samples written; 0 for a payload that is empty, malformed or longer than `output`.
    func decode(_ payload: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<Int16>) -> Int

    /// Invents `samples` samples in place of a lost packet, fading as the loss lasts.
    /// - Returns: the samples written (at most `output.count`); 0 when the codec cannot conceal so short a piece.
    func conceal(samples: Int, into output: UnsafeMutableBufferPointer<Int16>) -> Int

    /// Decodes the copy of the packet *before* `next` that `next` may carry (in-band FEC). Call it before `decode(next)`.
    /// - Returns: the samples written; nil when `next` holds no such copy, and then nothing has changed: conceal.
    func recover(
        from next: UnsafeRawBufferPointer, samples: Int, into output: UnsafeMutableBufferPointer<Int16>
    ) -> Int?

    /// How many samples `payload` would decode to, without decoding it; nil when it is malformed.
    func duration(of payload: UnsafeRawBufferPointer) -> Int?

    /// Forgets the stream so far (a new SSRC, a new call on the leg).
    func reset()
}
