import Transcode

/// The last 5 ms of speech that was cut off, fading, heard over whatever follows: over silence, or over the next answer.
struct PlayoutFade {
    private let samples: SampleBuffer
    private let rate: Int
    private var count = 0

    init(rate: Int) {
        self.rate = rate
        samples = SampleBuffer(capacity: Ramp.samples(at: rate))
    }

    var isPending: Bool { count > 0 }

    /// Takes what would have been heard next.
    mutating func take(from ring: SampleRing) {
        count = ring.peek(into: samples.samples)
        Ramp.fadeOut(samples.prefix(count), rate: rate)
    }

    mutating func mix(into frame: UnsafeMutableBufferPointer<Int16>) {
        let fading = samples.samples
        for index in 0..<min(count, frame.count) { frame[index] = Int16(clamping: Int32(frame[index]) &+ Int32(fading[index])) }
        count = 0
    }
}
