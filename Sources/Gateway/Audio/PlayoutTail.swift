/// Conceals the end of speech that breaks off: the last slot is played backwards, so that it joins without a step, and faded.
struct PlayoutTail {
    private let last: SampleBuffer
    private let slotSamples: Int
    private var isFilled = false

    init(samples: Int) {
        last = SampleBuffer(capacity: samples)
        slotSamples = samples
    }

    mutating func reset() { isFilled = false }

    mutating func remember(_ frame: UnsafeMutableBufferPointer<Int16>) {
        guard frame.count == slotSamples, let source = frame.baseAddress else { return }
        last.samples.baseAddress?.update(from: source, count: slotSamples)
        isFilled = true
    }

    /// Fills `frame` from `start` on.
    mutating func conceal(_ frame: UnsafeMutableBufferPointer<Int16>, from start: Int) {
        let missing = frame.count - start
        for offset in 0..<missing {
            let sample = mirrored(offset, before: start, in: frame)
            frame[start + offset] = Int16(truncatingIfNeeded: sample * (missing - offset) / missing)
        }
        isFilled = false
    }

    /// The sample as far before the break as `offset` is behind it.
    private func mirrored(_ offset: Int, before start: Int, in frame: UnsafeMutableBufferPointer<Int16>) -> Int {
        let place = start - 1 - offset
        if place >= 0 { return Int(frame[place]) }
        let earlier = slotSamples + place
        return isFilled && earlier >= 0 ? Int(last.samples[earlier]) : 0
    }
}
