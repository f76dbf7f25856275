import CShims
import Glibc

/// Goes on learning a line's response from where the adaptive filter was when it did best, with a step that is as long as what is
/// still to be learnt is large beside what else is heard: a voice at the line makes it short within the block in which it begins.
///
/// That is a Kalman filter with one variance for all taps, of which those count more that are strong. Works on sounds of which the
/// upper end was raised, for speech teaches little there as it is.
final class EchoLearner {
    private let length: Int
    private let block: Int
    /// The response, its last tap first; not its owner.
    private let taps: UnsafeMutablePointer<Float>
    /// How much of the uncertainty is a tap's; they are 1 on average.
    private let weights: UnsafeMutablePointer<Float>
    /// The last `length` samples that were played and, behind them, those of the block: raised.
    private let far: UnsafeMutablePointer<Float>
    private let squares: UnsafeMutablePointer<Float>
    private var lastFar: Float = 0
    private var lastNear: Float = 0
    private var lastLeft: Float = 0
    /// Of a tap of weight 1: the expected square of its error.
    private var variance: Float = 0
    /// What is heard beside the echo, as mean square of a raised sample; of late.
    private var noise: Float = 0
    private var untilWeighing = 0

    /// What of a sample is taken off the next one.
    private static let raising: Float = 0.85
    /// Of the response's power, what is taken for still to be learnt at first (-7 dB), and at least (-45 dB), for lines change.
    private static let unknown: Float = 0.2
    private static let floor: Float = 3e-5
    /// Speech teaches so much less than noise of its level would.
    private static let slowness: Float = 0.12
    /// What a block counts towards `noise`.
    private static let weight: Float = 0.5
    /// Blocks between two looks at which taps are strong.
    private static let weighEvery = 20
    /// Mean square of a raised sample that the codec's noise has at least.
    private static let codecNoise: Float = 30

    /// - Parameter taps: of the response that it betters, the last one first
    init(taps: UnsafeMutablePointer<Float>, length: Int, block: Int) {
        self.taps = taps
        self.length = length
        self.block = block
        weights = .allocate(capacity: length)
        weights.initialize(repeating: 1, count: length)
        (far, squares) = (.allocate(capacity: length + block), .allocate(capacity: length + block))
        for buffer in [far, squares] { buffer.initialize(repeating: 0, count: length + block) }
    }

    deinit { for buffer in [weights, far, squares] { buffer.deallocate() } }

    /// The response is another one.
    /// - Parameter left: the share of the echo's power that it leaves
    func begin(left: Float) {
        weigh()
        variance = max(Self.floor, min(Self.unknown, left)) * SumOfSquares.of(taps, length) / Float(length)
    }

    /// What was played is past.
    func skip() {
        far.update(repeating: 0, count: length + block)
        squares.update(repeating: 0, count: length + block)
        lastFar = 0
    }

    /// Takes the next block that was played.
    func play(_ played: UnsafePointer<Int16>) {
        far.update(from: far + block, count: length)
        squares.update(from: squares + block, count: length)
        var index = length
        while index < length + block {
            let sample = Float(played[index &- length])
            let raised = sample - Self.raising * lastFar
            lastFar = sample
            far[index] = raised
            squares[index] = raised * raised
            index &+= 1
        }
    }

    /// Learns from the block that came.
    /// - Parameter left: what the response as it stands leaves of it
    func learn(_ near: UnsafePointer<Float>, left: UnsafePointer<Float>) {
        let heard = heardBesides(left)
        noise = noise == 0 ? heard : noise + Self.weight * (heard - noise)
        let besides = max(noise, heard) + Self.codecNoise
        var last = lastNear
        var index = 0
        let share = Self.slowness / Float(length)
        var (energy, next) = (Float(0), tandem_dot(weights, squares + 1, length))
        while index < block {
            let x = far + (index &+ 1)
            if index & 7 == 0 {
                // What is played grows louder within the next samples, if it does.
                let last = next
                next = tandem_dot(weights, squares + min(index &+ 9, block), length)
                energy = max(last, next)
            }
            let raised = near[index] - Self.raising * last
            last = near[index]
            let gain = variance / (variance * energy + besides)
            tandem_add_products(taps, weights, x, gain * (raised - tandem_dot(taps, x, length)), length)
            variance *= 1 - share * gain * energy
            index &+= 1
        }
        lastNear = last
        untilWeighing -= 1
        if untilWeighing <= 0 { weigh() }
    }

    /// Mean square of what is left of the block, raised.
    private func heardBesides(_ left: UnsafePointer<Float>) -> Float {
        var sum: Float = 0
        var index = 0
        while index < block {
            let raised = left[index] - Self.raising * lastLeft
            lastLeft = left[index]
            sum += raised * raised
            index &+= 1
        }
        return sum / Float(block)
    }

    private func weigh() {
        untilWeighing = Self.weighEvery
        var sum: Float = 0
        for tap in 0..<length { sum += abs(taps[tap]) }
        let mean = sum / Float(length)
        for tap in 0..<length { weights[tap] = mean > 0 ? (abs(taps[tap]) + mean) / (2 * mean) : 1 }
        variance = max(variance, Self.floor * SumOfSquares.of(taps, length) / Float(length))
    }
}
