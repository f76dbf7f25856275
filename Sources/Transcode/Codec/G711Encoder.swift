/// A PCMU or PCMA stream. 8000 samples a second, one byte a sample. Loop-confined.
public final class G711Encoder: AudioEncoder {
    public let rate = G711.rate
    public let law: G711.Law
    public let frameSamples: Int
    /// Reached for when the encoder is made, since reaching for it the first time builds it: no packet is to wait for that.
    private let table: UnsafePointer<UInt8>

    /// - Parameter frameMilliseconds: length of the usual frame (the peer's ptime), 10 to 60.
    public init(law: G711.Law, frameMilliseconds: Int = 20) {
        self.law = law
        table = G711Tables.bytes(of: law)
        frameSamples = G711.rate / 1000 * frameMilliseconds
    }

    public func encode(_ samples: UnsafeBufferPointer<Int16>, into output: UnsafeMutableRawBufferPointer) -> Int {
        guard samples.count <= output.count else { return 0 }
        return G711.encode(samples, into: output, law: law, table: table)
    }

    /// There is no state to forget.
    public func reset() {}
}
