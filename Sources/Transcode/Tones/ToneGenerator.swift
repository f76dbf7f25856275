import Glibc

/// Sounds tones into frames of any size, without a click at their ends. Loop-confined.
public final class ToneGenerator {
    /// A sine by rotation: two multiplications a sample and no table.
    private struct Oscillator {
        var cosine = 1.0
        var sine = 0.0
        let stepCosine: Double
        let stepSine: Double
        let amplitude: Double

        init(_ component: Tone.Component, rate: Int) {
            let step = 2 * Double.pi * component.frequency / Double(rate)
            stepCosine = cos(step)
            stepSine = sin(step)
            amplitude = 32768 * 2.0.squareRoot() * pow(10, component.level / 20)
        }

        mutating func next() -> Double {
            let value = sine * amplitude
            (cosine, sine) = (cosine * stepCosine - sine * stepSine, cosine * stepSine + sine * stepCosine)
            return value
        }

        /// Undoes what rounding adds to the length of the rotating pointer.
        mutating func normalise() {
            let correction = 1.5 - 0.5 * (cosine * cosine + sine * sine)
            cosine *= correction
            sine *= correction
        }
    }

    public let rate: Int
    private let rampSamples: Int
    private var first: Oscillator?
    private var second: Oscillator?
    private var played = 0
    private var length = 0

    /// - Parameter rate: samples a second of the frames to fill.
    public init(rate: Int) {
        self.rate = rate
        rampSamples = Ramp.samples(at: rate)
    }

    /// Whether a tone is sounding.
    public var isActive: Bool { first != nil }

    /// Begins a tone in place of whatever sounds.
    /// - Parameter milliseconds: its length with both ramps; nil sounds until `stop`.
    public func start(_ tone: Tone, milliseconds: Int? = nil) {
        first = Oscillator(tone.first, rate: rate)
        second = tone.second.map { Oscillator($0, rate: rate) }
        played = 0
        length = milliseconds.map { max(0, $0) * rate / 1000 } ?? Int.max
        if length == 0 { end() }
    }

    /// Begins the tone of a DTMF key. False, and nothing changes, for a character that is none.
    @discardableResult
    public func start(digit: Character, milliseconds: Int = 100) -> Bool {
        guard let tone = Tone.dtmf(digit) else { return false }
        start(tone, milliseconds: milliseconds)
        return true
    }

    /// Ends the tone within 5 ms.
    public func stop() {
        guard isActive else { return }
        length = min(length, played + rampSamples)
    }

    /// Fills the frame with the tone, and with silence after its end.
    /// - Returns: how many samples are tone; fewer than the frame holds when the tone has ended.
    @discardableResult
    public func generate(into output: UnsafeMutableBufferPointer<Int16>) -> Int {
        guard let destination = output.baseAddress, var low = first else {
            output.update(repeating: 0)
            return 0
        }
        var high = second
        let count = min(output.count, length - played)
        var index = 0
        while index < count {
            var value = low.next()
            if high != nil { value += high?.next() ?? 0 }
            let edge = min(played + index, length - 1 - (played + index))
            if edge < rampSamples { value *= Double(Ramp.curve(edge, of: rampSamples)) }
            destination[index] = Int16(max(-32768, min(32767, value.rounded())))
            index &+= 1
        }
        for rest in count..<output.count { destination[rest] = 0 }
        low.normalise()
        high?.normalise()
        (first, second) = (low, high)
        played += count
        if played >= length { end() }
        return count
    }

    private func end() {
        first = nil
        second = nil
    }
}
