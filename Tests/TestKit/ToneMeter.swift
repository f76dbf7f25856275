import Glibc

/// What a recording that should hold one steady tone really holds.
public struct ToneReport: Sendable {
    /// A stretch without tone inside the recording.
    public struct Gap: Sendable, Equatable {
        /// Milliseconds from the first sample of the recording.
        public var start: Double
        /// Milliseconds.
        public var length: Double
    }

    /// Hertz, measured from the phase; 0 when nothing was heard.
    public var frequency: Double
    /// Decibels of the tone above everything else while it sounds; -infinity when nothing was heard.
    public var snr: Double
    /// Silences of 5 ms or more between the first and the last sound.
    public var gaps: [Gap]
    /// Root mean square while the tone sounds, in dB below a full-scale square wave; -infinity when nothing was heard.
    public var level: Double
    /// Milliseconds before the first sound; nil when there is none.
    public var firstSoundAt: Double?
    /// Milliseconds at which the last sound ends; nil when there is none.
    public var lastSoundAt: Double?
    /// Places where the wave jumps: a cut, a repeat, a changed phase or a spike. Edges of gaps do not count.
    public var clicks: Int

    /// The longest of the gaps in milliseconds, 0 without one.
    public var longestGap: Double { gaps.map(\.length).max() ?? 0 }
}

/// Measures a recorded tone: the verdict of the audio tests.
public enum ToneMeter {
    /// Sounds quieter than this (RMS of 16-bit samples, about -54 dBFS) are silence.
    private static let silence = 64.0
    /// Silences shorter than this in milliseconds are not gaps but zero crossings and ramps.
    private static let shortestGap = 5.0

    /// Judges `samples` (mono, `rate` a second) against a tone of `expectedHz`, which may be off by up to 20 Hz.
    public static func analyse(_ samples: [Int16], rate: Int, expectedHz: Double) -> ToneReport {
        samples.withUnsafeBufferPointer { analyse($0, rate: rate, expectedHz: expectedHz) }
    }

    /// As above, for samples in place.
    public static func analyse(_ samples: UnsafeBufferPointer<Int16>, rate: Int, expectedHz: Double) -> ToneReport {
        var report = ToneReport(
            frequency: 0, snr: -.infinity, gaps: [], level: -.infinity, firstSoundAt: nil, lastSoundAt: nil, clicks: 0)
        let spans = soundingSpans(samples, rate: rate, period: Double(rate) / expectedHz)
        guard let first = spans.first, let last = spans.last else { return report }
        let milliseconds = 1000 / Double(rate)
        report.firstSoundAt = Double(first.lowerBound) * milliseconds
        report.lastSoundAt = Double(last.upperBound) * milliseconds
        for (before, after) in zip(spans, spans.dropFirst()) {
            let start = Double(before.upperBound) * milliseconds
            report.gaps.append(.init(start: start, length: Double(after.lowerBound) * milliseconds - start))
        }

        report.frequency = frequency(samples, spans, rate: rate, near: expectedHz)
        let fit = fitted(samples, spans, rate: rate, frequency: report.frequency)
        guard fit.count > 0 else { return report }
        report.level = 10 * log10(fit.total / Double(fit.count) / (32768 * 32768))
        report.snr = fit.residual > 0 ? 10 * log10((fit.total - fit.residual) / fit.residual) : .infinity
        report.clicks = fit.clicks
        return report
    }

    /// The stretches that are not silent, to about half a millisecond, with pauses shorter than a gap closed.
    private static func soundingSpans(_ samples: UnsafeBufferPointer<Int16>, rate: Int, period: Double) -> [Range<Int>] {
        // The envelope is the largest magnitude within a period, so that zero crossings of the tone are no silence.
        let hop = max(1, rate / 2000)
        let hops = samples.count / hop
        let reach = max(1, Int((period / Double(hop)).rounded(.up)))
        var peaks = [Int](repeating: 0, count: hops)
        var loudest = 0
        for index in 0..<hops {
            var peak = 0
            for offset in 0..<hop { peak = max(peak, abs(Int(samples[index * hop + offset]))) }
            peaks[index] = peak
            loudest = max(loudest, peak)
        }
        // A tenth of the tone's peak is silence: 20 dB down.
        let threshold = max(silence, typical(peaks) / 10)
        guard Double(loudest) > threshold else { return [] }

        var spans: [Range<Int>] = []
        let join = max(reach, Int(shortestGap / 1000 * Double(rate)) / hop - 1)
        for index in 0..<hops where Double(peaks[index]) > threshold {
            let start = index * hop
            if let last = spans.last, start - last.upperBound <= join * hop {
                spans[spans.count - 1] = last.lowerBound..<(start + hop)
            } else {
                spans.append(start..<(start + hop))
            }
        }
        return spans
    }

    /// The median of the peaks that are sound.
    private static func typical(_ peaks: [Int]) -> Double {
        let heard = peaks.filter { Double($0) > silence }.sorted()
        return heard.isEmpty ? 0 : Double(heard[heard.count / 2])
    }

    /// The tone's frequency from how its phase moves against `near`, from one 10 ms to the next.
    private static func frequency(
        _ samples: UnsafeBufferPointer<Int16>, _ spans: [Range<Int>], rate: Int, near: Double
    ) -> Double {
        let hop = rate / 100
        let step = 2 * Double.pi * near / Double(rate)
        // Two hops long and tapered, so that the tone's mirror at the negative frequency does not bend the phase.
        let taper = (0..<2 * hop).map { 0.5 - 0.5 * cos(Double.pi * (Double($0) + 0.5) / Double(hop)) }
        // The sum of each phasor times the conjugate of the one before it: its angle is the mean advance in a hop.
        var (real, imaginary) = (0.0, 0.0)
        for span in spans {
            var (previousReal, previousImaginary) = (0.0, 0.0)
            var start = span.lowerBound
            while start + 2 * hop <= span.upperBound {
                let phasor = correlate(samples, start, taper, step)
                real += phasor.cosine * previousReal + phasor.sine * previousImaginary
                imaginary += phasor.cosine * previousImaginary - phasor.sine * previousReal
                (previousReal, previousImaginary) = (phasor.cosine, phasor.sine)
                start += hop
            }
        }
        guard real != 0 || imaginary != 0 else { return 0 }
        return near + atan2(imaginary, real) / (2 * Double.pi) * Double(rate) / Double(hop)
    }

    /// Sums of the tapered samples times cosine and sine of the absolute time.
    private static func correlate(
        _ samples: UnsafeBufferPointer<Int16>, _ start: Int, _ taper: [Double], _ step: Double
    ) -> (cosine: Double, sine: Double) {
        var (c, s) = (cos(step * Double(start)), sin(step * Double(start)))
        let (stepCosine, stepSine) = (cos(step), sin(step))
        var (sumCosine, sumSine) = (0.0, 0.0)
        for index in taper.indices {
            let value = Double(samples[start + index]) * taper[index]
            sumCosine += value * c
            sumSine += value * s
            (c, s) = (c * stepCosine - s * stepSine, c * stepSine + s * stepCosine)
        }
        return (sumCosine, sumSine)
    }

    private struct Fit {
        var total = 0.0
        var residual = 0.0
        var count = 0
        var clicks = 0
    }

    /// Fits a sine to every 20 ms by least squares and adds up what is left; a block where much is left has a click.
    private static func fitted(
        _ samples: UnsafeBufferPointer<Int16>, _ spans: [Range<Int>], rate: Int, frequency: Double
    ) -> Fit {
        let block = rate / 50
        // A gap's edges and their ramps belong to the gap.
        let margin = rate / 200
        let step = 2 * Double.pi * frequency / Double(rate)
        var fit = Fit()
        for span in spans {
            var previousWasClick = false
            var start = span.lowerBound + margin
            while start + block <= span.upperBound - margin {
                let piece = fitBlock(samples, start, block, step)
                fit.total += piece.total
                fit.residual += piece.residual
                fit.count += block
                if piece.isClick && !previousWasClick { fit.clicks += 1 }
                previousWasClick = piece.isClick
                start += block
            }
        }
        return fit
    }

    private static func fitBlock(
        _ samples: UnsafeBufferPointer<Int16>, _ start: Int, _ count: Int, _ step: Double
    ) -> (total: Double, residual: Double, isClick: Bool) {
        let basis = (0..<count).map { (cos(step * Double($0)), sin(step * Double($0))) }
        var (cc, cs, ss, xc, xs, total) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        for (index, wave) in basis.enumerated() {
            let value = Double(samples[start + index])
            cc += wave.0 * wave.0
            cs += wave.0 * wave.1
            ss += wave.1 * wave.1
            xc += value * wave.0
            xs += value * wave.1
            total += value * value
        }
        let determinant = cc * ss - cs * cs
        guard determinant != 0 else { return (total, 0, false) }
        let a = (xc * ss - xs * cs) / determinant
        let b = (xs * cc - xc * cs) / determinant
        var (residual, peak) = (0.0, 0.0)
        for (index, wave) in basis.enumerated() {
            let left = Double(samples[start + index]) - a * wave.0 - b * wave.1
            residual += left * left
            peak = max(peak, abs(left))
        }
        // Noise of a codec is spread out and small; a jump leaves a residual that stands out of the amplitude.
        let amplitude = (a * a + b * b).squareRoot()
        return (total, residual, peak > 0.25 * max(amplitude, silence))
    }
}
