import Transcode

/// The last 2 ms of speech that was cut off, fading, heard over whatever follows: over silence, or over the next answer.
struct PlayoutFade {
    /// Shorter than other ramps: who cut it off waits for silence, behind the packet that has left already.
    private static let milliseconds = 2

    private let samples: SampleBuffer
    private var count = 0

    init(rate: Int) {
        samples = SampleBuffer(capacity: rate * Self.milliseconds / 1000)
    }

    var isPending: Bool { count > 0 }

    /// Takes what would have been heard next.
    mutating func take(from ring: SampleRing) {
        count = ring.peek(into: samples.samples)
        Ramp.fadeOut(samples.prefix(count), over: samples.samples.count)
    }

    mutating func mix(into frame: UnsafeMutableBufferPointer<Int16>) {
        let fading = samples.samples
        for index in 0..<min(count, frame.count) { frame[index] = Int16(clamping: Int32(frame[index]) &+ Int32(fading[index])) }
        count = 0
    }
}
