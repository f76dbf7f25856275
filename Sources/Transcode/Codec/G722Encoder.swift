import CSpandsp

/// A G.722 stream at 64 kbit/s (ITU-T G.722, mode 1): 16,000 samples a second, two of them in each byte. Loop-confined.
public final class G722Encoder: AudioEncoder {
    public let rate = G722.rate
    public let frameSamples: Int
    private let state: OpaquePointer

    /// - Parameter frameMilliseconds: length of the usual frame (the peer's ptime), 10 to 60.
    /// nil when memory is short.
    public init?(frameMilliseconds: Int = 20) {
        guard let state = g722_encode_init(nil, G722.bitrate, 0) else { return nil }
        self.state = state
        frameSamples = G722.rate / 1000 * frameMilliseconds
    }

    deinit {
        g722_encode_free(state)
    }

    /// Encodes an even number of samples.
    public func encode(_ samples: UnsafeBufferPointer<Int16>, into output: UnsafeMutableRawBufferPointer) -> Int {
        guard let source = samples.baseAddress, let bytes = output.baseAddress, !samples.isEmpty, samples.count.isMultiple(of: 2),
            samples.count / 2 <= output.count
        else { return 0 }
        return max(0, Int(g722_encode(state, bytes.assumingMemoryBound(to: UInt8.self), source, Int32(samples.count))))
    }

    public func reset() {
        g722_encode_init(state, G722.bitrate, 0)
    }
}
