import Glibc
import TestKit
import Testing
import Transcode

/// Keys at the limits of ITU-T Q.23 (sending) and Q.24 (receiving), all sixteen of them.
@Suite("DTMF limits")
struct DTMFLimitsTests {
    private static let low = [697.0, 770, 852, 941], high = [1209.0, 1336, 1477, 1633]
    private static let keys = Array("123A456B789C*0#D")

    /// A key as a bad phone sends it.
    struct Press: CustomTestStringConvertible {
        /// Deviation of both tones in percent.
        var detune = 0.0
        /// The high tone's level less the low one's, in decibels.
        var twist = 0.0
        var milliseconds = 60.0
        /// Of the louder tone, in dBFS.
        var level = -15.0
        /// Share of the keys that must be heard, each once and right.
        var share: ClosedRange<Double>

        var testDescription: String { "\(detune) %, \(twist) dB, \(milliseconds) ms, \(level) dBFS" }
    }

    @Test(
        "Keys within the limits are heard, those beyond are not",
        arguments: [
            Press(detune: 1, share: 1...1), Press(detune: -1, share: 1...1),
            Press(detune: 1.5, milliseconds: 40, share: 1...1), Press(detune: -1.5, milliseconds: 40, share: 1...1),
            Press(detune: 1.5, twist: 4, share: 1...1), Press(detune: -1.5, twist: 4, share: 1...1),
            Press(detune: 1.5, twist: -8, share: 0.95...1), Press(detune: -1.5, twist: -8, share: 0.95...1),
            Press(detune: 2.5, share: 0...0), Press(detune: 3.5, share: 0...0), Press(detune: -3.5, share: 0...0),
            Press(twist: 4, share: 1...1), Press(twist: -8, share: 0.95...1), Press(twist: 7, share: 0...0), Press(twist: -11, share: 0...0),
            Press(milliseconds: 40, share: 1...1), Press(milliseconds: 35, share: 1...1), Press(milliseconds: 20, share: 0...0.05),
            Press(milliseconds: 23, share: 0...0.35), Press(level: -5, share: 1...1), Press(level: -40, share: 1...1), Press(level: -55, share: 0...0),
        ])
    func received(press: Press) {
        var right = 0, presses = 0
        for (index, key) in Self.keys.enumerated() {
            for phase in 0..<6 {
                presses += 1
                if heard(press, index, delay: 400 + 17 * phase) == [.began(key), .ended(key)] { right += 1 }
            }
        }
        #expect(press.share.contains(Double(right) / Double(presses)), "\(right) of \(presses)")
    }

    private func heard(_ press: Press, _ key: Int, delay: Int) -> [DTMFDetector.Event] {
        let seconds = press.milliseconds / 1000
        let low = SoundMaterial.tone(
            hertz: Self.low[key / 4] * (1 + press.detune / 100), seconds: seconds, rate: 8000, level: press.level - max(0, press.twist))
        let high = SoundMaterial.tone(
            hertz: Self.high[key % 4] * (1 + press.detune / 100), seconds: seconds, rate: 8000, level: press.level + min(0, press.twist))
        let silence = [Int16](repeating: 0, count: delay)
        let detector = DTMFDetector()
        detector.isEnabled = true
        var events: [DTMFDetector.Event] = []
        (silence + zip(low, high).map { Int16(clamping: Int($0) + Int($1)) } + [Int16](repeating: 0, count: 800))
            .withUnsafeBufferPointer { detector.process($0, into: &events) }
        return events
    }

    @Test("A key sent has its two tones right, the high one 2 dB louder, all else 40 dB below", arguments: Tone.digits)
    func sent(key: Character) throws {
        let generator = ToneGenerator(rate: 8000)
        generator.start(digit: key, milliseconds: 100)
        let sound = filled(1200) { generator.generate(into: $0); return 1200 }
        #expect(sound.lastIndex { $0 != 0 }.map { (760...800).contains($0) } == true)
        let place = try #require(Self.keys.firstIndex(of: key))
        let middle = Array(sound[80..<720])
        // What 10 Hz around the frequencies find, less the spread of the window.
        let lows = Self.low.map { SineFit(middle, hertz: $0, rate: 8000).level }
        let highs = Self.high.map { SineFit(middle, hertz: $0, rate: 8000).level }
        let twist = highs[place % 4] - lows[place / 4]
        #expect((1.5...2.5).contains(twist), "\(twist) dB")
        for (index, level) in lows.enumerated() where index != place / 4 { #expect(level < lows[place / 4] - 15) }
        for (index, level) in highs.enumerated() where index != place % 4 { #expect(level < highs[place % 4] - 15) }
        let (low, high) = (frequency(middle, near: Self.low[place / 4]), frequency(middle, near: Self.high[place % 4]))
        #expect(abs(low / Self.low[place / 4] - 1) < 0.003)
        #expect(abs(high / Self.high[place % 4] - 1) < 0.003)
    }

    /// Where between 1.5 % below and 1.5 % above a frequency the most is.
    private func frequency(_ samples: [Int16], near hertz: Double) -> Double {
        let candidates = stride(from: -0.015, through: 0.0151, by: 0.001).map { hertz * (1 + $0) }
        return candidates.max { SineFit(samples, hertz: $0, rate: 8000).level < SineFit(samples, hertz: $1, rate: 8000).level } ?? 0
    }
}
