import Glibc

/// Sounds for tests, the same on every run.
public enum SoundMaterial {
    /// A sine. `level` is its RMS in dB below a full-scale square wave.
    public static func tone(hertz: Double, seconds: Double, rate: Int, level: Double = -15) -> [Int16] {
        let amplitude = 32768 * 2.0.squareRoot() * pow(10, level / 20)
        let step = 2 * Double.pi * hertz / Double(rate)
        return (0..<Int(seconds * Double(rate))).map { sample(amplitude * sin(step * Double($0))) }
    }

    public static func silence(seconds: Double, rate: Int) -> [Int16] {
        [Int16](repeating: 0, count: Int(seconds * Double(rate)))
    }

    /// White noise of `level` dB (RMS below a full-scale square wave).
    public static func noise(seconds: Double, rate: Int, level: Double, seed: UInt64) -> [Int16] {
        var random = SeededGenerator(seed: seed)
        let amplitude = 32768 * 3.0.squareRoot() * pow(10, level / 20)
        return (0..<Int(seconds * Double(rate))).map { _ in sample(amplitude * random.uniform()) }
    }

    /// Something with the structure of speech: syllables of a gliding pitch with formants, hisses between some of them,
    /// pauses between words. Content up to 3.4 kHz at every rate; about -20 dBFS while it sounds. No two seconds alike,
    /// so that a correlation finds one place only.
    public static func speech(seconds: Double, rate: Int, seed: UInt64) -> [Int16] {
        let count = Int(seconds * Double(rate))
        var output = [Double](repeating: 0, count: count)
        var random = SeededGenerator(seed: seed)
        var position = 0.0
        while position < seconds {
            for _ in 0..<Int.random(in: 2...5, using: &random) {
                if random.uniform() > 0.2 {
                    let hiss = 0.04 + 0.03 * abs(random.uniform())
                    addHiss(to: &output, at: position, length: hiss, rate: rate, random: &random)
                    position += hiss
                }
                let length = 0.12 + 0.1 * abs(random.uniform())
                addVowel(to: &output, at: position, length: length, rate: rate, random: &random)
                position += length
            }
            position += 0.08 + 0.15 * abs(random.uniform())
        }
        return output.map(sample)
    }

    /// One voiced syllable: harmonics of a gliding pitch, weighted by two formants, under a smooth envelope.
    private static func addVowel(
        to output: inout [Double], at start: Double, length: Double, rate: Int, random: inout SeededGenerator
    ) {
        let pitch = 130 + 40 * random.uniform()
        let glide = 25 * random.uniform()
        let formants = (500 + 250 * random.uniform(), 1700 + 600 * random.uniform())
        let harmonics = Int(3400 / (pitch + abs(glide)))
        let weights = (1...harmonics).map { number in
            let frequency = pitch * Double(number)
            return 0.02 + exp(-pow((frequency - formants.0) / 150, 2)) + 0.5 * exp(-pow((frequency - formants.1) / 250, 2))
        }
        let first = Int(start * Double(rate))
        let count = Int(length * Double(rate))
        for index in 0..<count where first + index < output.count {
            let time = Double(index) / Double(rate)
            let phase = 2 * Double.pi * (pitch * time + glide * time * time / (2 * length))
            // Harmonics by the recurrence sin((n+1)x) = 2 cos(x) sin(nx) - sin((n-1)x).
            let twice = 2 * cos(phase)
            var (previous, current, sum) = (0.0, sin(phase), 0.0)
            for weight in weights {
                sum += weight * current
                (previous, current) = (current, twice * current - previous)
            }
            let envelope = sin(Double.pi * time / length)
            output[first + index] += 2600 * envelope.squareRoot() * sum
        }
    }

    /// One unvoiced sound: noise between 1 and 3 kHz, made of sines so that it is the same sound at every rate.
    private static func addHiss(
        to output: inout [Double], at start: Double, length: Double, rate: Int, random: inout SeededGenerator
    ) {
        let partials = (0..<24).map { _ in (2000 + 1000 * random.uniform(), Double.pi * random.uniform()) }
        let first = Int(start * Double(rate))
        for index in 0..<Int(length * Double(rate)) where first + index < output.count {
            let time = Double(index) / Double(rate)
            var sum = 0.0
            for (frequency, phase) in partials { sum += sin(2 * Double.pi * frequency * time + phase) }
            output[first + index] += 250 * sin(Double.pi * time / length) * sum
        }
    }

    private static func sample(_ value: Double) -> Int16 {
        Int16(max(-32768, min(32767, value.rounded())))
    }
}

extension SeededGenerator {
    /// -1 up to 1.
    fileprivate mutating func uniform() -> Double {
        2 * unit() - 1
    }
}
