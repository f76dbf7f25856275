import Transcode

/// A stream's way from one rate to another, with room for what comes out.
final class Resampling {
    private let resampler: Resampler
    private let output: SampleBuffer

    /// nil where there is no such way.
    init?(from inputRate: Int, to outputRate: Int) {
        guard let resampler = Resampler(from: inputRate, to: outputRate) else { return nil }
        self.resampler = resampler
        output = SampleBuffer(capacity: resampler.maximumOutput(for: inputRate / 50))
    }

    /// - Parameter samples: at most 20 ms.
    func convert(_ samples: UnsafeMutableBufferPointer<Int16>) -> UnsafeMutableBufferPointer<Int16> {
        output.prefix(resampler.process(UnsafeBufferPointer(samples), into: output.samples))
    }
}
