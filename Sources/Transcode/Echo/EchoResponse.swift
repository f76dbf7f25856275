import CSpeexDSP

/// What the line was learnt to do, as it stood when the adaptive filter did best. It does not learn, so nobody who speaks at the line
/// can lead it astray.
final class EchoResponse {
    /// False until something was learnt.
    private(set) var isKnown = false

    private let length: Int
    private let block: Int
    private let taps: UnsafeMutablePointer<Float>
    private let learnt: UnsafeMutablePointer<Int32>
    /// The last `length` samples that were played and, behind them, those of the block.
    private let far: UnsafeMutablePointer<Float>

    /// - Parameters:
    ///   - length: of the response, a multiple of 4
    ///   - block: samples at a time
    init(length: Int, block: Int) {
        self.length = length
        self.block = block
        taps = .allocate(capacity: length)
        taps.initialize(repeating: 0, count: length)
        // Speexdsp rounds up to whole blocks.
        learnt = .allocate(capacity: length + block)
        learnt.initialize(repeating: 0, count: length + block)
        far = .allocate(capacity: length + block)
        far.initialize(repeating: 0, count: length + block)
    }

    deinit {
        taps.deallocate()
        learnt.deallocate()
        far.deallocate()
    }

    func forget() { isKnown = false }

    /// What was played is past.
    func skip() { far.update(repeating: 0, count: length + block) }

    /// Takes over what the filter has learnt.
    func keep(_ filter: OpaquePointer) {
        var size: Int32 = 0
        speex_echo_ctl(filter, SPEEX_ECHO_GET_IMPULSE_RESPONSE_SIZE, &size)
        guard size >= length, size <= length + block else { return }
        speex_echo_ctl(filter, SPEEX_ECHO_GET_IMPULSE_RESPONSE, learnt)
        // Speexdsp's scale: full scale of 16 bits, and its Fourier transform is twice a block long and not divided by that.
        let scale = 1 / (32_767 * 2 * Float(block))
        for tap in 0..<length { taps[tap] = Float(learnt[tap]) * scale }
        isKnown = true
    }

    /// Takes the next block that was played.
    func play(_ played: UnsafePointer<Int16>) {
        far.update(from: far + block, count: length)
        let end = far + length
        var index = 0
        while index < block {
            end[index] = Float(played[index])
            index &+= 1
        }
    }

    /// Takes the block's echo out of `samples`.
    func cancel(_ samples: UnsafeMutablePointer<Float>) {
        let (taps, block) = (taps, block)
        var tap = 0
        while tap < length {
            let (h0, h1, h2, h3) = (taps[tap], taps[tap + 1], taps[tap + 2], taps[tap + 3])
            let x = far + (length - tap - 3)
            var index = 0
            while index < block {
                samples[index] -= h0 * x[index &+ 3] + h1 * x[index &+ 2] + h2 * x[index &+ 1] + h3 * x[index]
                index &+= 1
            }
            tap &+= 4
        }
    }
}
