/// Turns frames of any length into frames of one length: the one place where packet times of two sides meet.
struct FrameAccumulator {
    /// Samples of the frames that come out.
    private(set) var frameSamples: Int
    private let buffer: SampleBuffer
    private var held = 0
    /// Media time of the first sample held.
    private var heldTime: Int64 = 0

    /// Longest frame taken in one go, in samples: 120 ms at 48 kHz.
    private static let largestInput = 5760

    /// - Parameter most: the longest frame that `change` may ask for
    init(frameSamples: Int, most: Int = 0) {
        self.frameSamples = frameSamples
        buffer = SampleBuffer(capacity: max(frameSamples, most) + Self.largestInput)
    }

    /// Frames of another length from now on; what is held stays.
    mutating func change(frameSamples: Int) { self.frameSamples = frameSamples }

    /// Forgets what is held, as after a break of the source's axis.
    mutating func reset() { held = 0 }

    /// Takes `samples` and hands out every whole frame with the media time of its first sample.
    mutating func append(
        _ samples: UnsafeMutableBufferPointer<Int16>, mediaTime: Int64,
        emit: (UnsafeMutableBufferPointer<Int16>, Int64) -> Void
    ) {
        if held == 0, samples.count == frameSamples { return emit(samples, mediaTime) }
        if held == 0 || heldTime + Int64(held) != mediaTime {
            held = 0
            heldTime = mediaTime
        }
        let room = min(samples.count, buffer.samples.count - held)
        guard room > 0, let source = samples.baseAddress, let target = buffer.samples.baseAddress else { return }
        (target + held).update(from: source, count: room)
        held += room
        var taken = 0
        while held - taken >= frameSamples {
            emit(UnsafeMutableBufferPointer(start: target + taken, count: frameSamples), heldTime + Int64(taken))
            taken += frameSamples
        }
        held -= taken
        heldTime += Int64(taken)
        if taken > 0, held > 0 { target.update(from: target + taken, count: held) }
    }
}
