/// Samples as they are, 16 bits each, the high byte first (RFC 3551 section 4.5.11). One channel.
public enum L16 {
    /// Samples a second that anything here asks for.
    public static let rates = [8000, 16000, 24000, 48000]

    /// The catalogue's name of L16 at `rate`: the encoding name alone does not say the rate.
    public static func name(rate: Int) -> String { "l16/\(rate)" }

    /// The rate in a catalogue name; nil for another codec's, and for a rate that is none of `rates`.
    static func rate(named name: String) -> Int? { rates.first { self.name(rate: $0) == name } }
}

/// An L16 stream with concealment of what was lost. Loop-confined.
public final class L16Decoder: AudioDecoder {
    public let rate: Int
    private let concealment: WaveformConcealment

    /// nil for a rate that is none of `L16.rates`.
    public init?(rate: Int) {
        guard L16.rates.contains(rate) else { return nil }
        self.rate = rate
        concealment = WaveformConcealment(rate: rate)
    }

    /// A payload of whole samples is good; one longer than `output` is refused whole rather than cut.
    public func decode(_ payload: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<Int16>) -> Int {
        guard let count = duration(of: payload), count <= output.count, let source = payload.baseAddress,
            let destination = output.baseAddress
        else { return 0 }
        var index = 0
        while index < count {
            destination[index] = Int16(bigEndian: source.loadUnaligned(fromByteOffset: 2 &* index, as: Int16.self))
            index &+= 1
        }
        concealment.received(UnsafeMutableBufferPointer(rebasing: output[..<count]))
        return count
    }

    public func conceal(samples: Int, into output: UnsafeMutableBufferPointer<Int16>) -> Int {
        let count = max(0, min(samples, output.count))
        return concealment.fill(UnsafeMutableBufferPointer(rebasing: output[..<count]))
    }

    /// L16 carries no copy of an earlier packet.
    public func recover(
        from next: UnsafeRawBufferPointer, samples: Int, into output: UnsafeMutableBufferPointer<Int16>
    ) -> Int? {
        nil
    }

    public func duration(of payload: UnsafeRawBufferPointer) -> Int? {
        payload.isEmpty || !payload.count.isMultiple(of: 2) ? nil : payload.count / 2
    }

    public func reset() {
        concealment.reset()
    }
}

/// An L16 stream. Loop-confined.
public final class L16Encoder: AudioEncoder {
    public let rate: Int
    public let frameSamples: Int

    /// - Parameter frameMilliseconds: length of the usual frame (the peer's ptime), 10 to 60.
    /// nil for a rate that is none of `L16.rates`.
    public init?(rate: Int, frameMilliseconds: Int = 20) {
        guard L16.rates.contains(rate) else { return nil }
        self.rate = rate
        frameSamples = rate / 1000 * frameMilliseconds
    }

    public func encode(_ samples: UnsafeBufferPointer<Int16>, into output: UnsafeMutableRawBufferPointer) -> Int {
        guard let source = samples.baseAddress, let destination = output.baseAddress, 2 * samples.count <= output.count else { return 0 }
        var index = 0
        while index < samples.count {
            destination.storeBytes(of: source[index].bigEndian, toByteOffset: 2 &* index, as: Int16.self)
            index &+= 1
        }
        return 2 * samples.count
    }

    /// There is no state to forget.
    public func reset() {}
}
