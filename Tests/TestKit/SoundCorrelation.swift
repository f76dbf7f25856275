/// Finds one recording inside another.
public enum Correlation {
    /// Where a reference was found, and how alike it is.
    public struct Match: Sendable {
        /// Samples by which the recording is later than the reference; negative when it begins after the reference does.
        public var lag: Int
        /// Normalised correlation, -1 to 1: 1 only when the whole reference is there, at any loudness.
        public var coefficient: Double
    }

    /// Coarse search runs at about this rate; the exact place is then looked for at the full one.
    private static let coarseRate = 4000

    /// Where `reference` lies in `recording` (both mono at `rate`).
    public static func best(of reference: [Int16], in recording: [Int16], rate: Int) -> Match {
        guard !reference.isEmpty, !recording.isEmpty else { return Match(lag: 0, coefficient: 0) }
        let factor = max(1, rate / coarseRate)
        let coarse = coarseLags(decimated(reference, factor), decimated(recording, factor))
        var best = Match(lag: 0, coefficient: -1)
        for candidate in coarse {
            let centre = candidate * factor
            for lag in (centre - factor)...(centre + factor) {
                let value = coefficient(reference, recording, lag: lag)
                if value > best.coefficient { best = Match(lag: lag, coefficient: value) }
            }
        }
        return best
    }

    /// Normalised correlation at one lag. What of the reference the recording does not reach counts as silence in it, so
    /// that a recording which ends too early is not taken for a good one.
    public static func coefficient(_ reference: [Int16], _ recording: [Int16], lag: Int) -> Double {
        let start = max(0, -lag)
        let end = min(reference.count, recording.count - lag)
        guard start < end else { return 0 }
        return reference.withUnsafeBufferPointer { first in
            recording.withUnsafeBufferPointer { second in
                var (product, secondEnergy) = (0, 0)
                let firstEnergy = first.reduce(0) { $0 &+ Int($1) &* Int($1) }
                var index = start
                while index < end {
                    let a = Int(first[index])
                    let b = Int(second[index &+ lag])
                    product &+= a &* b
                    secondEnergy &+= b &* b
                    index &+= 1
                }
                guard firstEnergy > 0, secondEnergy > 0 else { return 0 }
                return Double(product) / (Double(firstEnergy).squareRoot() * Double(secondEnergy).squareRoot())
            }
        }
    }

    /// Averages groups of samples: crude, but enough to find the place.
    private static func decimated(_ samples: [Int16], _ factor: Int) -> [Double] {
        samples.withUnsafeBufferPointer { source in
            var result = [Double](repeating: 0, count: max(1, source.count / factor))
            for index in result.indices {
                var sum = 0
                for offset in 0..<factor where index * factor + offset < source.count {
                    sum += Int(source[index * factor + offset])
                }
                result[index] = Double(sum)
            }
            return result
        }
    }

    /// The few lags with the highest normalised correlation, best first, no two of them neighbours.
    private static func coarseLags(_ reference: [Double], _ recording: [Double]) -> [Int] {
        let size = FourierTransform.size(for: reference.count + recording.count)
        let transform = FourierTransform(size: size)
        var first = transform.forward(reference)
        let second = transform.forward(recording)
        for index in 0..<size {
            let (a, b) = (first.real[index], -first.imaginary[index])
            let (c, d) = (second.real[index], second.imaginary[index])
            first.real[index] = a * c - b * d
            first.imaginary[index] = a * d + b * c
        }
        let products = transform.inverseReal(first)
        let recordingEnergy = runningEnergy(recording)
        // Next to nothing in the recording would be divided by next to nothing.
        let faintest = (recordingEnergy.last ?? 0) * 1e-6

        var scored: [(lag: Int, value: Double)] = []
        for lag in (1 - reference.count)..<recording.count {
            let start = max(0, -lag)
            let end = min(reference.count, recording.count - lag)
            let energy = recordingEnergy[end + lag] - recordingEnergy[start + lag]
            guard energy > faintest else { continue }
            scored.append((lag, products[lag >= 0 ? lag : lag + size] / energy.squareRoot()))
        }
        scored.sort { $0.value > $1.value }
        var chosen: [Int] = []
        for entry in scored where chosen.allSatisfy({ abs($0 - entry.lag) > 1 }) {
            chosen.append(entry.lag)
            if chosen.count == 3 { break }
        }
        return chosen
    }

    private static func runningEnergy(_ samples: [Double]) -> [Double] {
        var sums = [0.0]
        sums.reserveCapacity(samples.count + 1)
        var sum = 0.0
        for sample in samples {
            sum += sample * sample
            sums.append(sum)
        }
        return sums
    }
}
