import TestKit
import Testing
import Transcode

@Suite("Line echo canceller")
struct EchoTests {
    private static let rate = 8000

    private func level(_ sound: [Int16], below far: [Int16], from start: Double, to end: Double) -> Double {
        let range = Int(start * Double(Self.rate))..<Int(end * Double(Self.rate))
        return Array(sound[range]).level - Array(far[range]).level
    }

    static let lines = [0, 20, 60, 120, 200].flatMap { delay in [6.0, 12, 20, 30].map { EchoLine(delay: delay, loss: $0) } }

    @Test("After 3 s of sound the echo is 30 dB below what is played", arguments: lines)
    func farEndAlone(line: EchoLine) throws {
        let far = SoundMaterial.speech(seconds: 5, rate: Self.rate, seed: 21)
        let canceller = try #require(LineEchoCanceller(rate: Self.rate))
        let left = canceller.run(far: far, near: EchoLine.coded(line.echo(of: far)))
        let after = level(left, below: far, from: 3, to: 5)
        #expect(after <= -30, "\(after) dB")
        let figures = try #require(canceller.figures)
        #expect(abs(figures.returnLoss - line.loss) < 4, "\(figures)")
        #expect(figures.enhancement > 0)
    }

    /// The sound's beginning within the packets, and how late its echo comes, move the moment at which it is found.
    @Test("It does not matter when the echo is found", arguments: [15, 35], [(21, 0), (26, 60), (27, 120), (30, 200)])
    func found(start: Int, line: (seed: UInt64, delay: Int)) throws {
        let far = [Int16](repeating: 0, count: start * 8) + SoundMaterial.speech(seconds: 5, rate: Self.rate, seed: line.seed)
        let canceller = try #require(LineEchoCanceller(rate: Self.rate))
        let left = canceller.run(far: far, near: EchoLine.coded(EchoLine(delay: line.delay, loss: 6).echo(of: far)))
        let begun = Double(start) / 1000
        // The rest at the end is no whole packet.
        let after = level(left, below: far, from: begun + 3, to: begun + 4.9)
        #expect(after <= -31, "\(after) dB")
    }

    @Test(
        "Who speaks at the line over the echo is heard, and the filter stays",
        arguments: [EchoLine(delay: 20, loss: 6), EchoLine(delay: 60, loss: 12), EchoLine(delay: 120, loss: 20)]
    )
    func bothEnds(line: EchoLine) throws {
        let far = SoundMaterial.speech(seconds: 10, rate: Self.rate, seed: 22)
        let voice = SoundMaterial.speech(seconds: 3, rate: Self.rate, seed: 23)
        var near = line.echo(of: far)
        let start = 4 * Self.rate
        for index in voice.indices { near[start + index] += Double(voice[index]) }
        let canceller = try #require(LineEchoCanceller(rate: Self.rate))
        let left = canceller.run(far: far, near: EchoLine.coded(near))
        // The same voice at a line without an echo, whose canceller has found one before: its high pass is in both.
        let alone = try #require(LineEchoCanceller(rate: Self.rate))
        var quiet = line.echo(of: Array(far[..<start]) + [Int16](repeating: 0, count: far.count - start))
        for index in voice.indices { quiet[start + index] += Double(voice[index]) }
        let silentFar = Array(far[..<start]) + [Int16](repeating: 0, count: far.count - start)
        let undisturbed = alone.run(far: silentFar, near: EchoLine.coded(quiet))
        let during = (start + 160)..<(start + voice.count)
        let error = Array(left[during]).difference(to: Array(undisturbed[during]))
        let uncancelled = Array(EchoLine.coded(near)[during]).difference(to: Array(EchoLine.coded(quiet)[during]))
        #expect(error < uncancelled / 5, "\(error) where the echo was \(uncancelled)")
        let afterwards = level(left, below: far, from: 7.1, to: 10)
        #expect(afterwards <= -38, "\(afterwards) dB")
    }

    @Test("A line without an echo passes untouched, whoever speaks")
    func noEcho() throws {
        let far = SoundMaterial.speech(seconds: 8, rate: Self.rate, seed: 24)
        let voice = SoundMaterial.speech(seconds: 8, rate: Self.rate, seed: 25)
        for near in [voice, SoundMaterial.silence(seconds: 8, rate: Self.rate), SoundMaterial.noise(seconds: 8, rate: Self.rate, level: -40, seed: 3)] {
            let canceller = try #require(LineEchoCanceller(rate: Self.rate))
            let left = canceller.run(far: far, near: near)
            #expect(left[(3 * Self.rate)...] == near[(3 * Self.rate)...])
            #expect(!canceller.isActive)
            #expect(canceller.figures == nil)
        }
    }

    @Test("Tones are alike at every delay: they show no echo")
    func tones() throws {
        let far = SoundMaterial.tone(hertz: 440, seconds: 6, rate: Self.rate)
        let near = SoundMaterial.tone(hertz: 440, seconds: 6, rate: Self.rate, level: -25)
        let canceller = try #require(LineEchoCanceller(rate: Self.rate))
        #expect(canceller.run(far: far, near: near)[(3 * Self.rate)...] == near[(3 * Self.rate)...])
    }

    /// An agent that says everything back plays the line's own voice to it: that is no echo of the line.
    @Test(
        "A voice that is played back to its speaker is left alone",
        arguments: [(20, 28, 8000), (20, 21, 8000), (40, 35, 8000), (60, 56, 8000), (40, 35, 16_000)] as [(Int, UInt64, Int)])
    func saidBack(milliseconds: Int, seed: UInt64, rate: Int) throws {
        let voice = SoundMaterial.speech(seconds: 6, rate: rate, seed: seed)
        let far = [Int16](repeating: 0, count: milliseconds * rate / 1000) + voice
        let canceller = try #require(LineEchoCanceller(rate: rate))
        #expect(canceller.run(far: far, near: voice, rate: rate, frame: rate / 50) == voice)
        #expect(!canceller.isActive)
    }

    /// As two announcements begun at the same time: as loud as what is played, so no line's return.
    @Test("Where both ends say the same at once neither is taken for the other's echo", arguments: [-3, 0, 3])
    func sameAtOnce(milliseconds: Int) throws {
        let voice = SoundMaterial.speech(seconds: 6, rate: Self.rate, seed: 28)
        let silence = [Int16](repeating: 0, count: abs(milliseconds) * 8)
        let (far, near) = milliseconds < 0 ? (silence + voice, voice) : (voice, silence + voice)
        let canceller = try #require(LineEchoCanceller(rate: Self.rate))
        let isUntouched = canceller.run(far: far, near: near) == near
        #expect(isUntouched)
    }

    @Test("An echo that comes later in the call is found, and one whose delay changes is found again")
    func changes() throws {
        let far = SoundMaterial.speech(seconds: 18, rate: Self.rate, seed: 26)
        var near = [Double](repeating: 0, count: 4 * Self.rate)
        near += EchoLine(delay: 40, loss: 10).echo(of: far)[near.count..<(11 * Self.rate)]
        near += EchoLine(delay: 130, loss: 14).echo(of: far)[near.count...]
        let canceller = try #require(LineEchoCanceller(rate: Self.rate))
        let left = canceller.run(far: far, near: EchoLine.coded(near))
        #expect(level(left, below: far, from: 9, to: 11) <= -30)
        #expect(level(left, below: far, from: 16, to: 18) <= -30)
        // While the filter is wrong it is not heard.
        #expect(level(left, below: far, from: 11, to: 13) < -11)
    }

    @Test("Jitter is no change of the echo's path")
    func jitter() throws {
        let far = SoundMaterial.speech(seconds: 6, rate: Self.rate, seed: 27)
        var generator = SeededGenerator(seed: 4)
        let delays = (0..<400).map { _ in Int.random(in: 0...60, using: &generator) }
        let canceller = try #require(LineEchoCanceller(rate: Self.rate))
        let left = canceller.run(far: far, near: EchoLine.coded(EchoLine(delay: 60, loss: 12).echo(of: far)), jitter: { delays[$0] })
        #expect(level(left, below: far, from: 3, to: 6) <= -30)
    }

    @Test("A hole in what comes in leaves the filter as it was")
    func hole() throws {
        let far = SoundMaterial.speech(seconds: 8, rate: Self.rate, seed: 29)
        let near = EchoLine.coded(EchoLine(delay: 60, loss: 12).echo(of: far))
        let canceller = try #require(LineEchoCanceller(rate: Self.rate))
        let (first, second) = (4 * Self.rate, 5 * Self.rate)
        _ = canceller.run(far: Array(far[..<first]), near: Array(near[..<first]))
        // A second in which something was played and nothing came.
        _ = canceller.run(far: Array(far[first..<second]), near: [], from: first)
        Array(far[first..<second]).withUnsafeBufferPointer { canceller.played($0, at: 5000 + Int64(first), clock: Int64(second)) }
        let left = canceller.run(far: Array(far[second...]), near: Array(near[second...]), from: second)
        #expect(Array(left[800...]).level - Array(far[(second + 800)...]).level <= -30)
    }

    @Test("Wideband lines, and packets of other lengths", arguments: [(16_000, 320), (8000, 80), (8000, 240)])
    func formats(rate: Int, frame: Int) throws {
        let far = SoundMaterial.speech(seconds: 6, rate: rate, seed: 30)
        let line = EchoLine(delay: 80, loss: 12, rate: rate)
        let near = line.echo(of: far).map { Int16($0.rounded()) }
        let canceller = try #require(LineEchoCanceller(rate: rate))
        let left = canceller.run(far: far, near: near, rate: rate, frame: frame)
        #expect(Array(left[(3 * rate)...]).level - Array(far[(3 * rate)...]).level <= -30)
    }

    @Test("Odd lengths, gaps and jumps of both axes do no harm")
    func edges() throws {
        #expect(LineEchoCanceller(rate: 48_000) == nil)
        let canceller = try #require(LineEchoCanceller(rate: 16_000))
        var short: [Int16] = [1, 2, 3]
        short.withUnsafeMutableBufferPointer { canceller.process($0, at: .max - 10, clock: 0) }
        #expect(short == [1, 2, 3])
        canceller.played(UnsafeBufferPointer(start: nil, count: 0), at: 0, clock: 0)
        let loud = SoundMaterial.speech(seconds: 1, rate: 16_000, seed: 31)
        var generator = SeededGenerator(seed: 5)
        for place in [0, 100, 1 << 40, -(1 << 40), 7, 1 << 33, Int64.max - 20_000, Int64.min + 20_000] {
            for step in 0..<20 {
                let count = Int.random(in: 1...900, using: &generator)
                var near = Array(loud[..<count])
                loud[..<count].withUnsafeBufferPointer { canceller.played($0, at: place &+ Int64(step * 500), clock: Int64(step * 400)) }
                near.withUnsafeMutableBufferPointer { canceller.process($0, at: place / 2 &+ Int64(step * 700), clock: Int64(step * 400)) }
            }
        }
        #expect(canceller.figures == nil)
    }
}
