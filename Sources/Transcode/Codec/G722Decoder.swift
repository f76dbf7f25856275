import CSpandsp

/// A G.722 stream at 64 kbit/s with concealment of what was lost: 16,000 samples a second, two of them in each byte. Loop-confined.
public final class G722Decoder: AudioDecoder {
    public let rate = G722.rate
    private let state: OpaquePointer
    private let concealment = WaveformConcealment(rate: G722.rate)

    /// nil when memory is short.
    public init?() {
        guard let state = g722_decode_init(nil, G722.bitrate, 0) else { return nil }
        self.state = state
    }

    deinit {
        g722_decode_free(state)
    }

    /// Any payload is good; one longer than `output` is refused whole rather than cut.
    public func decode(_ payload: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<Int16>) -> Int {
        guard let bytes = payload.baseAddress, let samples = output.baseAddress, !payload.isEmpty, payload.count * 2 <= output.count
        else { return 0 }
        let count = Int(g722_decode(state, samples, bytes.assumingMemoryBound(to: UInt8.self), Int32(payload.count)))
        guard count > 0 else { return 0 }
        concealment.received(UnsafeMutableBufferPointer(rebasing: output[..<count]))
        return count
    }

    public func conceal(samples: Int, into output: UnsafeMutableBufferPointer<Int16>) -> Int {
        let count = max(0, min(samples, output.count))
        return concealment.fill(UnsafeMutableBufferPointer(rebasing: output[..<count]))
    }

    /// G.722 carries no copy of an earlier packet.
    public func recover(
        from next: UnsafeRawBufferPointer, samples: Int, into output: UnsafeMutableBufferPointer<Int16>
    ) -> Int? {
        nil
    }

    public func duration(of payload: UnsafeRawBufferPointer) -> Int? {
        payload.isEmpty ? nil : payload.count * 2
    }

    public func reset() {
        g722_decode_init(state, G722.bitrate, 0)
        concealment.reset()
    }
}
