/// Turns frames of any length into frames of one length: the one place where packet times of two sides meet.
///
/// Only what does not fill a frame is kept; whole ones are handed out where they lie.
struct FrameAccumulator {
    /// Samples of the frames that come out.
    private(set) var frameSamples: Int
    /// What does not fill a frame yet.
    private let rest: SampleBuffer
    private var held = 0
    /// Media time of the first sample held.
    private var heldTime: Int64 = 0

    /// - Parameter most: the longest frame that `change` may ask for
    init(frameSamples: Int, most: Int = 0) {
        self.frameSamples = frameSamples
        rest = SampleBuffer(capacity: max(frameSamples, most))
    }

    var isEmpty: Bool { held == 0 }

    /// Frames of another length from now on; what is held stays.
    mutating func change(frameSamples: Int) { self.frameSamples = frameSamples }

    /// Forgets what is held, as after a break of the source's axis.
    mutating func reset() { held = 0 }

    /// Takes `samples` and hands out every whole frame with the media time of its first sample.
    mutating func append(
        _ samples: UnsafeMutableBufferPointer<Int16>, mediaTime: Int64,
        emit: (UnsafeMutableBufferPointer<Int16>, Int64) -> Void
    ) {
        if held > 0, heldTime + Int64(held) != mediaTime { held = 0 }
        guard let source = samples.baseAddress, let target = rest.samples.baseAddress else { return }
        var taken = 0
        while held > 0 {
            let missing = max(0, min(frameSamples - held, samples.count - taken))
            (target + held).update(from: source + taken, count: missing)
            held += missing
            taken += missing
            guard held >= frameSamples else { return }
            emit(UnsafeMutableBufferPointer(start: target, count: frameSamples), heldTime)
            // Something is left where frames have become shorter.
            held -= frameSamples
            heldTime += Int64(frameSamples)
            target.update(from: target + frameSamples, count: held)
        }
        while samples.count - taken >= frameSamples {
            emit(UnsafeMutableBufferPointer(start: source + taken, count: frameSamples), mediaTime + Int64(taken))
            taken += frameSamples
        }
        held = samples.count - taken
        heldTime = mediaTime + Int64(taken)
        target.update(from: source + taken, count: held)
    }
}
