import Transcode

/// Sound to be played to a caller: mono, at one of the rates that ports speak.
struct Recording: Sendable, Equatable {
    /// Samples a second, one of `Resampler.rates`.
    var rate: Int
    var samples: [Int16]

    /// Why a file cannot be played.
    enum Failure: Error, Equatable, CustomStringConvertible {
        case notWave
        case unsupported(String)
        case empty

        var description: String {
            switch self {
            case .notWave: "it is no WAV file"
            case .unsupported(let what): "it holds \(what), not 16-bit PCM or G.711 of 8 to 48 kHz"
            case .empty: "it holds no sound"
            }
        }
    }

    init(rate: Int, samples: [Int16]) {
        self.rate = rate
        self.samples = samples
    }

    /// Reads a WAV file: PCM of 16 bits or G.711, any number of channels, of which the mean is taken, 8 to 48 kHz.
    ///
    /// A file whose header promises more than it holds is taken as far as it goes.
    init(wave bytes: [UInt8]) throws(Failure) {
        let file = WaveReader(bytes)
        guard let format = file.format else { throw .notWave }
        guard (8000...48000).contains(format.rate), (1...8).contains(format.channels) else {
            throw .unsupported("\(format.channels) channels of \(format.rate) Hz")
        }
        let interleaved: [Int16]
        switch (format.tag, format.bits) {
        case (1, 16): interleaved = Self.linear(file.data)
        case (6, 8): interleaved = Self.expanded(file.data, law: .a)
        case (7, 8): interleaved = Self.expanded(file.data, law: .mu)
        default: throw .unsupported("format \(format.tag) of \(format.bits) bits")
        }
        let mono = Self.mixed(interleaved, channels: format.channels)
        guard !mono.isEmpty else { throw .empty }
        (rate, samples) = Self.playable(mono, rate: format.rate)
    }

    private static func linear(_ data: ArraySlice<UInt8>) -> [Int16] {
        data.withUnsafeBytes { data in
            (0..<data.count / 2).map { Int16(littleEndian: data.loadUnaligned(fromByteOffset: 2 * $0, as: Int16.self)) }
        }
    }

    private static func expanded(_ data: ArraySlice<UInt8>, law: G711.Law) -> [Int16] {
        [Int16](unsafeUninitializedCapacity: data.count) { samples, count in
            count = data.withUnsafeBytes { G711.decode($0, into: samples, law: law) }
        }
    }

    private static func mixed(_ samples: [Int16], channels: Int) -> [Int16] {
        guard channels > 1 else { return samples }
        return (0..<samples.count / channels).map { frame in
            Int16(clamping: (0..<channels).reduce(0) { $0 + Int(samples[frame * channels + $1]) } / channels)
        }
    }

    /// At a rate that ports speak: one of theirs as it is, another by way of the next higher one, linearly. Announcements at
    /// such rates (11025, 22050, 44100) are rare, and the error lies far above what a telephone carries.
    private static func playable(_ samples: [Int16], rate: Int) -> (Int, [Int16]) {
        guard !Resampler.rates.contains(rate), let target = Resampler.rates.first(where: { $0 > rate }) else { return (rate, samples) }
        let count = samples.count * target / rate
        let converted = (0..<count).map { place -> Int16 in
            let (index, remainder) = (place * rate).quotientAndRemainder(dividingBy: target)
            let first = Int(samples[index])
            let next = index + 1 < samples.count ? Int(samples[index + 1]) : first
            return Int16(clamping: first + (next - first) * remainder / target)
        }
        return (target, converted)
    }
}

/// The two chunks of a RIFF file that matter.
private struct WaveReader {
    struct Format {
        /// 1 PCM, 6 A-law, 7 µ-law.
        var tag: Int
        var channels: Int
        var rate: Int
        var bits: Int
    }

    private(set) var format: Format?
    private(set) var data: ArraySlice<UInt8> = []

    /// WAVE_FORMAT_EXTENSIBLE, whose real tag stands in its subformat.
    private static let extensible = 0xFFFE

    init(_ bytes: [UInt8]) {
        func number(_ place: Int, _ size: Int) -> Int { (0..<size).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) } }
        func isNamed(_ name: String, _ place: Int) -> Bool { bytes[place..<place + 4].elementsEqual(name.utf8) }
        guard bytes.count >= 12, isNamed("RIFF", 0), isNamed("WAVE", 8) else { return }
        var place = 12
        while place + 8 <= bytes.count {
            let body = place + 8
            let length = min(number(place + 4, 4), bytes.count - body)
            if isNamed("fmt ", place), length >= 16 {
                var tag = number(body, 2)
                if tag == Self.extensible, length >= 26 { tag = number(body + 24, 2) }
                format = Format(tag: tag, channels: number(body + 2, 2), rate: number(body + 4, 4), bits: number(body + 14, 2))
            } else if isNamed("data", place) {
                data = bytes[body..<body + length]
            }
            place = body + length + length % 2
        }
    }
}
