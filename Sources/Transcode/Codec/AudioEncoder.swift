/// One sent audio stream: mono samples in, payloads out. Loop-confined, allocates nothing per frame.
public protocol AudioEncoder: AnyObject {
    /// Samples a second that `encode` expects.
    var rate: Int { get }

    /// Samples in one frame of the stream's usual length (20 ms unless asked for otherwise).
    var frameSamples: Int { get }

    /// Encodes one frame.
    /// - Returns: the bytes written; 0 when the frame has a length the codec does not know or `output` is too small.
    func encode(_ samples: UnsafeBufferPointer<Int16>, into output: UnsafeMutableRawBufferPointer) -> Int

    /// Forgets the stream so far.
    func reset()
}
