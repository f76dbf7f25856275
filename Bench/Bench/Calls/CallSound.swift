import Transcode

/// What one kind of leg says, encoded once: speech, and the marker by which delay is measured.
struct CallSound {
    static let opusPayloadType: UInt8 = 111
    /// The marker begins with this frame of its second.
    static let markedFrame = 10
    /// Samples beyond this are the marker.
    private static let threshold: Int16 = 3000

    let isOpus: Bool
    /// Every call begins at a place of its own in the speech.
    let isRotated: Bool
    let speech: [[UInt8]]
    /// One second: faint noise, in which 100 ms of 1 kHz begin with the first sample of a frame.
    let marker: [[UInt8]]
    /// Milliseconds by which the encoder delays it.
    let encoderDelay: Double

    var payloadType: UInt8 { isOpus ? Self.opusPayloadType : 0 }
    /// Of the RTP clock, per frame.
    var step: UInt32 { isOpus ? 960 : 160 }
    var rate: Int { isOpus ? 48_000 : 8000 }

    /// Opus as Chrome sends it: from 48 kHz, 32 kbit/s, with forward error correction.
    static func browser() throws -> CallSound { try CallSound(isOpus: true) }
    /// PCMU.
    static func phone() throws -> CallSound { try CallSound(isOpus: false) }

    private init(isOpus: Bool) throws {
        // 15 s, and every call begins at another place in it.
        let speech = isOpus ? Speech.make(rate: 48_000, frames: 750) : Speech.make(rate: 8000, frames: 750, voice: .high)
        try self.init(isOpus: isOpus, speech: speech, isRotated: true)
    }

    /// Speech of somebody else's, said from its beginning.
    /// - Parameter speech: samples, 48,000 a second for Opus, else 8000
    init(isOpus: Bool, speech: [Int16]) throws {
        let length = (isOpus ? 48_000 : 8000) / 50
        let slab = SampleSlab(frames: speech.count / length, frameSamples: length)
        slab.samples.update(from: speech, count: slab.frames * length)
        try self.init(isOpus: isOpus, speech: slab, isRotated: false)
    }

    private init(isOpus: Bool, speech slab: SampleSlab, isRotated: Bool) throws {
        self.isOpus = isOpus
        self.isRotated = isRotated
        let rate = isOpus ? 48_000 : 8000
        speech = try Self.encode(slab, with: try Self.makeEncoder(isOpus))
        // Encoded thrice, so that a second follows a second.
        let second = Self.makeMarker(rate: rate)
        let repeated = SampleSlab(frames: 150, frameSamples: rate / 50)
        for frame in 0..<150 { _ = repeated.room(frame).update(from: second.frame(frame % 50)) }
        marker = Array(try Self.encode(repeated, with: try Self.makeEncoder(isOpus)).suffix(50))
        let listener = try MarkerListener(isOpus: isOpus)
        var delay: Double?
        for index in 0..<200 where delay == nil {
            guard let onset = listener.onset(in: marker[index % 50][...]), index >= 50 else { continue }
            delay = Double(index % 50 - Self.markedFrame) * 20 + onset
        }
        guard let delay, delay >= 0, delay < 40 else { throw BenchFailure("the marker is not heard in our own stream") }
        encoderDelay = delay
    }

    /// Where in these samples the marker begins, in milliseconds.
    static func onset(in samples: some Collection<Int16>, rate: Int) -> Double? {
        samples.enumerated().first { abs(Int($0.element)) > Int(threshold) }.map { Double($0.offset) * 1000 / Double(rate) }
    }

    func makeDecoder() -> (any AudioDecoder)? { isOpus ? OpusDecoder(rate: 48_000) : G711Decoder(law: .mu) }

    private static func makeEncoder(_ isOpus: Bool) throws -> any AudioEncoder {
        guard isOpus else { return G711Encoder(law: .mu) }
        guard let encoder = OpusEncoder(rate: 48_000, bitrate: 32_000, complexity: 9, expectedLoss: 10) else { throw BenchFailure("no Opus encoder") }
        return encoder
    }

    private static func makeMarker(rate: Int) -> SampleSlab {
        let slab = SampleSlab(frames: 50, frameSamples: rate / 50)
        let first = markedFrame * rate / 50
        // A triangle wave, which is at its peak with the first sample.
        let period = rate / 1000
        for index in 0..<rate {
            let place = index - first
            let isOn = place >= 0 && place < rate / 10
            slab.samples[index] = isOn ? Int16(16_000 * triangle(place % period, period)) : Int16(index * 7 % 9 - 4)
        }
        return slab
    }

    /// From 1 down to -1 and back.
    private static func triangle(_ place: Int, _ period: Int) -> Double { abs(2 * Double(place) / Double(period) - 1) * 2 - 1 }

    private static func encode(_ sound: SampleSlab, with encoder: any AudioEncoder) throws -> [[UInt8]] {
        try (0..<sound.frames).map { index in
            let payload = withUnsafeTemporaryAllocation(byteCount: 1500, alignment: 8) { room in
                Array(room[..<max(0, encoder.encode(sound.frame(index), into: room))])
            }
            guard !payload.isEmpty else { throw BenchFailure("a frame of the load does not encode") }
            return payload
        }
    }
}
