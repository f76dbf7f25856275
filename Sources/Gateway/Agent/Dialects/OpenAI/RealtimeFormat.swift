import Transcode

/// How sound is written into the events of OpenAI's Realtime API.
enum RealtimeFormat: Equatable {
    /// 16-bit samples, little-endian, 24,000 a second.
    case pcm
    case pcmu, pcma

    init?(type: String, rate: Int?) {
        switch type {
        case "audio/pcm":
            guard rate == nil || rate == 24_000 else { return nil }
            self = .pcm
        case "audio/pcmu": self = .pcmu
        case "audio/pcma": self = .pcma
        default: return nil
        }
    }

    /// For a caller's own rates, best first: what is narrow stays narrow.
    init(callerRates: [Int]) { self = (callerRates.first ?? 8000) > 8000 ? .pcm : .pcmu }

    /// Samples a second.
    var rate: Int { self == .pcm ? 24_000 : 8000 }
    var bytesPerSample: Int { self == .pcm ? 2 : 1 }

    /// As the API names it.
    var json: [String: Any] {
        switch self {
        case .pcm: ["type": "audio/pcm", "rate": 24_000]
        case .pcmu: ["type": "audio/pcmu"]
        case .pcma: ["type": "audio/pcma"]
        }
    }

    /// Writes samples as bytes.
    /// - Returns: how many bytes.
    func encode(_ samples: UnsafeBufferPointer<Int16>, into bytes: UnsafeMutableRawBufferPointer) -> Int {
        switch self {
        case .pcm:
            for index in samples.indices { bytes.storeBytes(of: samples[index].littleEndian, toByteOffset: index * 2, as: Int16.self) }
            return samples.count * 2
        case .pcmu: return G711.encode(samples, into: bytes, law: .mu)
        case .pcma: return G711.encode(samples, into: bytes, law: .a)
        }
    }

    /// Reads bytes, each in a place of its own, as samples.
    func decode(_ bytes: UnsafeBufferPointer<Int16>, into samples: UnsafeMutableBufferPointer<Int16>) {
        switch self {
        case .pcm:
            for index in samples.indices { samples[index] = Int16(truncatingIfNeeded: bytes[2 * index] | bytes[2 * index + 1] << 8) }
        case .pcmu, .pcma:
            let table = self == .pcmu ? Self.mu : Self.a
            for index in samples.indices { samples[index] = table[Int(bytes[index] & 255)] }
        }
    }

    private static let mu = table(.mu)
    private static let a = table(.a)

    private static func table(_ law: G711.Law) -> [Int16] {
        [Int16](unsafeUninitializedCapacity: 256) { samples, count in
            let bytes = (0..<256).map { UInt8($0) }
            count = bytes.withUnsafeBytes { G711.decode($0, into: samples, law: law) }
        }
    }
}

extension RealtimeFormat {
    /// What some bytes are, when they are clearly not what they are said to be: servers were seen to answer a wish for PCMU with linear
    /// samples, and what is read in the wrong format is loud noise: it changes more from sample to sample than any speech.
    /// - Returns: nil where nothing speaks against `self`, or too little sound is there to judge.
    func contradiction(in bytes: UnsafeBufferPointer<Int16>) -> RealtimeFormat? {
        guard bytes.count >= Self.leastBytes else { return nil }
        let claimed = change(in: bytes)
        guard claimed > Self.noisy else { return nil }
        let others = [RealtimeFormat.pcm, .pcmu, .pcma].filter { $0 != self }.map { (format: $0, change: $0.change(in: bytes)) }
        return others.filter { $0.change < Self.calmer * claimed }.min { $0.change < $1.change }?.format
    }

    /// The mean difference of neighbouring samples.
    private func change(in bytes: UnsafeBufferPointer<Int16>) -> Double {
        let count = bytes.count / bytesPerSample
        return withUnsafeTemporaryAllocation(of: Int16.self, capacity: count) { scratch in
            let samples = UnsafeMutableBufferPointer(rebasing: scratch[0..<count])
            decode(bytes, into: samples)
            var (sum, last) = (0, 0)
            for sample in samples {
                sum += abs(Int(sample) - last)
                last = Int(sample)
            }
            return Double(sum) / Double(count)
        }
    }

    // Measured with espeak-ng's voices in all three formats, each read as each: 100 to 2000 as what they are, 7000 to 18,000 as another
    // (PCMU as PCMA and back: 2000 to 6000, which is loud but no noise).
    private static let leastBytes = 640
    private static let noisy = 5000.0
    private static let calmer = 0.3
}
