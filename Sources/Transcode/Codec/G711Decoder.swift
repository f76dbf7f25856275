/// A PCMU or PCMA stream with concealment of what was lost. 8000 samples a second. Loop-confined.
public final class G711Decoder: AudioDecoder {
    public let rate = G711.rate
    public let law: G711.Law
    private let concealment = WaveformConcealment(rate: G711.rate)

    public init(law: G711.Law) {
        self.law = law
    }

    /// Any payload is good; one longer than `output` is refused whole rather than cut.
    public func decode(_ payload: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<Int16>) -> Int {
        guard !payload.isEmpty, payload.count <= output.count else { return 0 }
        let count = G711.decode(payload, into: output, law: law)
        concealment.received(UnsafeMutableBufferPointer(rebasing: output[..<count]))
        return count
    }

    public func conceal(samples: Int, into output: UnsafeMutableBufferPointer<Int16>) -> Int {
        let count = max(0, min(samples, output.count))
        return concealment.fill(UnsafeMutableBufferPointer(rebasing: output[..<count]))
    }

    /// G.711 carries no copy of an earlier packet.
    public func recover(
        from next: UnsafeRawBufferPointer, samples: Int, into output: UnsafeMutableBufferPointer<Int16>
    ) -> Int? {
        nil
    }

    public func duration(of payload: UnsafeRawBufferPointer) -> Int? {
        payload.isEmpty ? nil : payload.count
    }

    public func reset() {
        concealment.reset()
    }
}
