import CShims
import CSpeexDSP

/// What the line was learnt to do: as it stood when the adaptive filter did best, and bettered since by `EchoLearner`, which nobody who
/// speaks at the line leads astray.
final class EchoResponse {
    /// False until something was learnt.
    private(set) var isKnown = false

    private let length: Int
    private let block: Int
    /// The last one first, so that they lie as the samples do that they are multiplied by.
    private let taps: UnsafeMutablePointer<Float>
    private let learnt: UnsafeMutablePointer<Int32>
    /// The last `length` samples that were played and, behind them, those of the block.
    private let far: UnsafeMutablePointer<Float>
    private let learner: EchoLearner

    /// - Parameters:
    ///   - length: of the response, a multiple of 8
    ///   - block: samples at a time
    init(length: Int, block: Int) {
        self.length = length
        self.block = block
        taps = .allocate(capacity: length)
        taps.initialize(repeating: 0, count: length)
        learner = EchoLearner(taps: taps, length: length, block: block)
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
    func skip() {
        far.update(repeating: 0, count: length + block)
        learner.skip()
    }

    /// Takes over what the filter has learnt.
    /// - Parameter left: the share of the echo's power that it leaves
    func keep(_ filter: OpaquePointer, left: Float) {
        var size: Int32 = 0
        speex_echo_ctl(filter, SPEEX_ECHO_GET_IMPULSE_RESPONSE_SIZE, &size)
        guard size >= length, size <= length + block else { return }
        speex_echo_ctl(filter, SPEEX_ECHO_GET_IMPULSE_RESPONSE, learnt)
        // Speexdsp's scale: full scale of 16 bits, and its Fourier transform is twice a block long and not divided by that.
        let scale = 1 / (32_767 * 2 * Float(block))
        for tap in 0..<length { taps[length - 1 - tap] = Float(learnt[tap]) * scale }
        isKnown = true
        learner.begin(left: left)
    }

    /// Goes on from there with the block that came.
    /// - Parameter left: what `cancel` made of it
    func learn(_ near: UnsafePointer<Float>, left: UnsafePointer<Float>) { learner.learn(near, left: left) }

    /// Takes the next block that was played.
    func play(_ played: UnsafePointer<Int16>) {
        far.update(from: far + block, count: length)
        let end = far + length
        var index = 0
        while index < block {
            end[index] = Float(played[index])
            index &+= 1
        }
        learner.play(played)
    }

    /// Takes the block's echo out of `samples`.
    func cancel(_ samples: UnsafeMutablePointer<Float>) {
        var index = 0
        while index < block {
            samples[index] -= tandem_dot(taps, far + (index &+ 1), length)
            index &+= 1
        }
    }
}
