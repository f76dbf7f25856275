/// ITU-T G.711: one byte a sample, µ-law or A-law, by table.
public enum G711 {
    /// The two companding laws.
    public enum Law: Sendable, Equatable {
        /// North America, Japan; RTP name PCMU.
        case mu
        /// Everywhere else; RTP name PCMA.
        case a

        /// The byte that decodes to (next to) nothing.
        public var silence: UInt8 {
            switch self {
            case .mu: 0xFF
            case .a: 0xD5
            }
        }
    }

    /// Samples a second, for both laws.
    public static let rate = 8000

    /// Expands bytes to samples.
    /// - Returns: the samples written: the lesser of both counts.
    @discardableResult
    public static func decode(
        _ payload: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<Int16>, law: Law
    ) -> Int {
        let count = min(payload.count, output.count)
        guard count > 0, let source = payload.baseAddress?.assumingMemoryBound(to: UInt8.self),
            let destination = output.baseAddress
        else { return 0 }
        let table = law == .mu ? G711Tables.muToLinear : G711Tables.aToLinear
        var index = 0
        while index < count {
            destination[index] = table[Int(source[index])]
            index &+= 1
        }
        return count
    }

    /// Compresses samples to bytes.
    /// - Returns: the bytes written: the lesser of both counts.
    @discardableResult
    public static func encode(
        _ samples: UnsafeBufferPointer<Int16>, into output: UnsafeMutableRawBufferPointer, law: Law
    ) -> Int {
        encode(samples, into: output, law: law, table: G711Tables.bytes(of: law))
    }

    /// - Parameter table: `G711Tables.bytes(of: law)`, at hand
    static func encode(
        _ samples: UnsafeBufferPointer<Int16>, into output: UnsafeMutableRawBufferPointer, law: Law, table: UnsafePointer<UInt8>
    ) -> Int {
        let count = min(samples.count, output.count)
        guard count > 0, let source = samples.baseAddress,
            let destination = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        else { return 0 }
        switch law {
        case .mu: encodeMu(source, destination, count, table)
        case .a: encodeA(source, destination, count, table)
        }
        return count
    }

    private static func encodeMu(
        _ source: UnsafePointer<Int16>, _ destination: UnsafeMutablePointer<UInt8>, _ count: Int, _ table: UnsafePointer<UInt8>
    ) {
        var index = 0
        while index < count {
            let sample = Int(source[index])
            let sign = sample >> 63
            // The magnitude, up to 32768; µ-law's steps begin at multiples of four, so a quarter of it tells all.
            let magnitude = (sample ^ sign) &- sign
            destination[index] = table[magnitude >> 2] ^ UInt8(truncatingIfNeeded: sign & 0x80)
            index &+= 1
        }
    }

    private static func encodeA(
        _ source: UnsafePointer<Int16>, _ destination: UnsafeMutablePointer<UInt8>, _ count: Int, _ table: UnsafePointer<UInt8>
    ) {
        var index = 0
        while index < count {
            let sample = Int(source[index])
            let sign = sample >> 63
            // A-law has no zero: -1 is the first step below as 0 is the first above. Steps are sixteen wide or more.
            destination[index] = table[(sample ^ sign) >> 4] ^ UInt8(truncatingIfNeeded: sign & 0x80)
            index &+= 1
        }
    }
}
