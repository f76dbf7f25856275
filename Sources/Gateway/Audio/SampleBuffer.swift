/// Scratch storage for samples, allocated once and owned by one object of a media loop.
final class SampleBuffer {
    let samples: UnsafeMutableBufferPointer<Int16>

    init(capacity: Int) {
        samples = .allocate(capacity: capacity)
        samples.initialize(repeating: 0)
    }

    deinit { samples.deallocate() }

    /// The first `count` samples.
    func prefix(_ count: Int) -> UnsafeMutableBufferPointer<Int16> {
        UnsafeMutableBufferPointer(rebasing: samples[0..<min(count, samples.count)])
    }
}
