import Transcode

/// Array forms of the calls under test: tests may allocate.
extension AudioDecoder {
    func decode(_ payload: [UInt8]) -> [Int16] {
        filled(rate / 1000 * 120) { output in payload.withUnsafeBytes { decode($0, into: output) } }
    }

    func conceal(samples: Int) -> [Int16] {
        filled(samples) { conceal(samples: samples, into: $0) }
    }

    func recover(from next: [UInt8], samples: Int) -> [Int16]? {
        var succeeded = false
        let result = filled(samples) { output in
            guard let count = next.withUnsafeBytes({ recover(from: $0, samples: samples, into: output) }) else { return 0 }
            succeeded = true
            return count
        }
        return succeeded ? result : nil
    }
}

extension AudioEncoder {
    func encode(_ samples: [Int16]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 2000) { output, count in
            count = samples.withUnsafeBufferPointer { encode($0, into: UnsafeMutableRawBufferPointer(output)) }
        }
    }
}

extension Resampler {
    func process(_ samples: [Int16]) -> [Int16] {
        filled(maximumOutput(for: samples.count)) { output in samples.withUnsafeBufferPointer { process($0, into: output) } }
    }

    func process(_ samples: [Int16], chunk: Int) -> [Int16] {
        samples.chunks(of: chunk).flatMap { process($0) }
    }
}

extension Array {
    /// The elements in pieces of `size`, the last one perhaps shorter.
    func chunks(of size: Int) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}

extension [Int16] {
    /// Level in dBFS.
    var level: Double { Double(withUnsafeBufferPointer { Level.dBFS($0) }) }

    /// Root mean square of the difference to `other`, over the shorter one.
    func difference(to other: [Int16]) -> Double {
        let squares = zip(self, other).reduce(0.0) { $0 + Double((Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1))) }
        return (squares / Double(Swift.max(1, Swift.min(count, other.count)))).squareRoot()
    }
}

/// An array of what `body` writes into a buffer of `capacity` samples.
func filled(_ capacity: Int, _ body: (UnsafeMutableBufferPointer<Int16>) -> Int) -> [Int16] {
    var samples = [Int16](repeating: 0, count: capacity)
    let count = samples.withUnsafeMutableBufferPointer { body($0) }
    return Array(samples[..<count])
}
