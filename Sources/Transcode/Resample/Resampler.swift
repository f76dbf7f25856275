/// Converts one mono stream between two of the rates 8000, 16000, 24000 and 48000, whatever sizes it arrives in.
///
/// A polyphase FIR with state for the whole stream, so that no seam is heard between chunks. After n input samples
/// exactly ⌈n · out / in⌉ have come out, for ever: 20 ms in is 20 ms out from the first frame on. The delay (see
/// `latencySeconds`) is inside the signal. Loop-confined; nothing is allocated after `init`.
public final class Resampler {
    /// The rates that can be converted into each other, in samples a second.
    public static let rates = [8000, 16000, 24000, 48000]
    /// Input samples worked on at a time: 20 ms at the highest rate, so that a frame is one piece and fits the cache.
    private static let blockSize = 960

    public let inputRate: Int
    public let outputRate: Int

    private let interpolation: Int
    private let decimation: Int
    private let taps: Int
    private let coefficients: UnsafeMutablePointer<Float>
    /// The last `taps` input samples and the block after them.
    private let window: UnsafeMutablePointer<Float>
    /// The window dealt out by index modulo `decimation`, so that every loop runs over neighbours. Unused when that is 1.
    private let branches: UnsafeMutablePointer<Float>
    private let branchLength: Int
    /// Sums of one phase of a block.
    private let sums: UnsafeMutablePointer<Float>
    private let sumCapacity: Int
    /// Where the next output lies after the first sample of the next input, in steps of the raised rate.
    private var position = 0

    /// A converter from `inputRate` to `outputRate`; nil unless both are among `rates`. Equal rates copy, without delay.
    public init?(from inputRate: Int, to outputRate: Int) {
        guard Self.rates.contains(inputRate), Self.rates.contains(outputRate) else { return nil }
        self.inputRate = inputRate
        self.outputRate = outputRate
        let filter = ResamplerFilter(from: inputRate, to: outputRate)
        interpolation = filter.interpolation
        decimation = filter.decimation
        taps = filter.taps
        coefficients = .allocate(capacity: filter.coefficients.count)
        coefficients.initialize(from: filter.coefficients, count: filter.coefficients.count)

        let windowLength = taps + Self.blockSize
        window = .allocate(capacity: windowLength)
        window.initialize(repeating: 0, count: windowLength)
        branchLength = windowLength / decimation + 1
        branches = .allocate(capacity: branchLength * decimation)
        branches.initialize(repeating: 0, count: branchLength * decimation)
        sumCapacity = Self.blockSize / decimation + 1
        sums = .allocate(capacity: sumCapacity)
        sums.initialize(repeating: 0, count: sumCapacity)
    }

    deinit {
        coefficients.deallocate()
        window.deallocate()
        branches.deallocate()
        sums.deallocate()
    }

    /// How much later a sound comes out than it went in, in seconds.
    public var latencySeconds: Double {
        guard inputRate != outputRate else { return 0 }
        let raisedRate = Double(inputRate * interpolation)
        return Double(ResamplerFilter.periods * max(interpolation, decimation) - 1) / 2 / raisedRate
    }

    /// The most samples that `inputCount` samples can yield.
    public func maximumOutput(for inputCount: Int) -> Int {
        (inputCount * interpolation + decimation - 1) / decimation
    }

    /// Converts the next samples of the stream, any number of them.
    /// - Parameter output: room for `maximumOutput(for: input.count)` samples, not overlapping the input.
    /// - Returns: the samples written.
    public func process(_ input: UnsafeBufferPointer<Int16>, into output: UnsafeMutableBufferPointer<Int16>) -> Int {
        precondition(output.count >= maximumOutput(for: input.count), "output is too small for the resampled frame")
        guard let source = input.baseAddress, let destination = output.baseAddress, !input.isEmpty else { return 0 }
        guard interpolation != decimation else {
            destination.update(from: source, count: input.count)
            return input.count
        }
        var read = 0
        var written = 0
        while read < input.count {
            let count = min(Self.blockSize, input.count - read)
            written += processBlock(source + read, count, destination + written)
            read += count
        }
        return written
    }

    /// Forgets the stream so far, as after `clear`.
    public func reset() {
        window.update(repeating: 0, count: taps)
        position = 0
    }

    /// Converts at most `blockSize` samples and keeps the last ones for the next block.
    private func processBlock(_ source: UnsafePointer<Int16>, _ count: Int, _ destination: UnsafeMutablePointer<Int16>) -> Int {
        let block = window + taps
        var index = 0
        while index < count {
            block[index] = Float(source[index])
            index &+= 1
        }
        let reach = count * interpolation - position
        let outputs = reach > 0 ? (reach + decimation - 1) / decimation : 0
        if decimation > 1 && outputs > 0 { dealWindow(taps + count) }
        // Outputs whose numbers differ by a multiple of `interpolation` share a phase of the filter.
        for turn in 0..<min(interpolation, outputs) {
            let raised = position + turn * decimation
            let share = (outputs - turn + interpolation - 1) / interpolation
            sum(phase: raised % interpolation, newest: taps + raised / interpolation, count: share)
            write(share, to: destination + turn)
        }
        position += outputs * decimation - count * interpolation
        window.update(from: window + count, count: taps)
        return outputs
    }

    /// Copies the first `length` samples of the window to their branches.
    private func dealWindow(_ length: Int) {
        for branch in 0..<decimation {
            let target = branches + branch * branchLength
            let share = (length - branch + decimation - 1) / decimation
            let source = window + branch
            let step = decimation
            var index = 0
            var from = 0
            while index < share {
                target[index] = source[from]
                index &+= 1
                from &+= step
            }
        }
    }

    /// Where the sample at `index` of the window and every `decimation`th after it lie side by side.
    private func samples(from index: Int) -> UnsafePointer<Float> {
        decimation == 1
            ? UnsafePointer(window + index)
            : UnsafePointer(branches + index % decimation * branchLength + index / decimation)
    }

    /// Filters `count` outputs of one phase into `sums`, four coefficients at a time. The loop runs over the outputs,
    /// not over the coefficients, because a sum of floats may not be reordered and so would not be vectorised.
    private func sum(phase: Int, newest: Int, count: Int) {
        let sums = sums
        sums.update(repeating: 0, count: count)
        var tap = 0
        while tap < taps {
            let weights = coefficients + (phase * taps + tap)
            let (w0, w1, w2, w3) = (weights[0], weights[1], weights[2], weights[3])
            let s0 = samples(from: newest - tap)
            let s1 = samples(from: newest - tap - 1)
            let s2 = samples(from: newest - tap - 2)
            let s3 = samples(from: newest - tap - 3)
            var index = 0
            while index < count {
                sums[index] += w0 * s0[index] + w1 * s1[index] + (w2 * s2[index] + w3 * s3[index])
                index &+= 1
            }
            tap &+= 4
        }
    }

    /// Rounds `count` sums to samples, `interpolation` apart.
    private func write(_ count: Int, to destination: UnsafeMutablePointer<Int16>) {
        // Added to a float this small, 1.5 · 2^23 leaves the nearest integer in the low bits: rounding that vectorises.
        let rounding: Float = 12_582_912
        let sums = sums
        let step = interpolation
        var index = 0
        var to = 0
        while index < count {
            var value = sums[index]
            value = value > 32767 ? 32767 : value
            value = value < -32768 ? -32768 : value
            destination[to] = Int16(truncatingIfNeeded: (value + rounding).bitPattern)
            index &+= 1
            to &+= step
        }
    }
}
