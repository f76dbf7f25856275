import TestKit
import Testing
import Transcode

@Suite("Line echo, over a long call")
struct EchoSearchTests {
    private static let rate = 8000

    /// The same six seconds again and again: debug builds make speech slowly.
    private static func speech(seconds: Int, seed: UInt64) -> [Int16] {
        let six = SoundMaterial.speech(seconds: 6, rate: rate, seed: seed)
        return (0..<seconds * rate).map { six[$0 % six.count] }
    }

    @Test("An echo that begins half a minute into a call is found when the search looks next")
    func late() throws {
        let far = Self.speech(seconds: 44, seed: 33)
        let start = 30 * Self.rate
        var near = EchoLine(delay: 90, loss: 10).echo(of: far)
        for index in 0..<start { near[index] = 0 }
        let canceller = try #require(LineEchoCanceller(rate: Self.rate))
        let coded = EchoLine.coded(near)
        let before = canceller.run(far: Array(far[..<start]), near: Array(coded[..<start]))
        #expect(before == Array(coded[..<start]))
        let left = canceller.run(far: Array(far[start...]), near: Array(coded[start...]), from: start)
        let last = 2 * Self.rate
        #expect(Array(left.suffix(last)).level - Array(far.suffix(last)).level <= -30)
    }

    @Test("The beginning of a sound's echo is taken out like the rest of it", arguments: [6.0, 12])
    func beginning(loss: Double) throws {
        let speech = SoundMaterial.speech(seconds: 5, rate: Self.rate, seed: 34)
        // After a pause it goes on in the middle of a word.
        let word = (2 * Self.rate..<4 * Self.rate).max { abs(Int(speech[$0])) < abs(Int(speech[$1])) } ?? 0
        let far = speech + SoundMaterial.silence(seconds: 0.5, rate: Self.rate) + speech[word..<(word + Self.rate / 2)]
        let line = EchoLine(delay: 60, loss: loss)
        let canceller = try #require(LineEchoCanceller(rate: Self.rate))
        let left = canceller.run(far: far, near: EchoLine.coded(line.echo(of: far)))
        let begun = speech.count + Self.rate / 2
        let heard = Array(left[(begun + Self.rate * 60 / 1000)...].prefix(320))
        #expect(heard.level - Array(far[begun...].prefix(320)).level <= -30)
    }
}
