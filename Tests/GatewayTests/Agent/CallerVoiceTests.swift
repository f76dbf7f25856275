import Foundation
import TestKit
import Testing
import Transcode

@testable import Gateway

/// Who speaks while an agent greets: not the agent's own echo on a line that nobody knows yet.
@Suite struct CallerVoiceTests {
    private static let rate = 8000
    private static let greeting = SoundMaterial.speech(seconds: 4, rate: rate, seed: 61)

    /// A line that sends back what is played to it.
    struct Line: Sendable, CustomTestStringConvertible {
        var delay: Int
        var loss: Double
        var testDescription: String { "\(loss) dB after \(delay) ms" }

        func echo(of far: [Int16]) -> [Double] {
            let response = [0.3, 1, 0.5, -0.4, -0.2, 0.1, 0.05]
            let scale = pow(10, -loss / 20) / response.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let first = delay * CallerVoiceTests.rate / 1000
            return far.indices.map { place in
                response.indices.reduce(0.0) { $0 + (place - first - $1 >= 0 ? response[$1] * Double(far[place - first - $1]) : 0) } * scale
            }
        }
    }

    /// When the caller is taken to begin, in milliseconds, while the greeting plays from the call's first moment on; and when the
    /// agent is cut off.
    private func judge(_ near: [Int16], far: [Int16] = greeting) throws -> (begins: [Int], cuts: [Int]) {
        let canceller = try #require(LineEchoCanceller(rate: Self.rate))
        var voice = CallerVoice(rate: Self.rate, endSilence: 300)
        var interruption = Interruption(policy: .flush, rate: Self.rate)
        var near = near
        var (begins, cuts): ([Int], [Int]) = ([], [])
        for place in stride(from: 0, to: far.count, by: 160) {
            far[place..<place + 160].withUnsafeBufferPointer { canceller.played($0, at: Int64(place), clock: Int64(place)) }
            near[place..<place + 160].withUnsafeMutableBufferPointer {
                canceller.process($0, at: Int64(place), clock: Int64(place))
                let event = voice.hear(UnsafeBufferPointer($0), mayBeEcho: canceller.mayBeEcho)
                if event == .speechBegan { begins.append(place / 8 + 20) }
                let isSpeaking = voice.isSpeaking && voice.silentSamples <= 800
                let effect = interruption.heard(160, isSpeaking: isSpeaking, silent: voice.silentSamples, agentSpeaks: true)
                if effect == .flush { cuts.append(place / 8 + 20) }
            }
        }
        return (begins, cuts)
    }

    @Test("The echo of a greeting interrupts nobody", arguments: [(20, 6.0), (20, 12), (120, 6), (120, 9), (200, 6), (200, 12)])
    func echoOfAGreeting(delay: Int, loss: Double) throws {
        for seed in [62, 63] as [UInt64] {
            let far = SoundMaterial.speech(seconds: 4, rate: Self.rate, seed: seed)
            let echo = Line(delay: delay, loss: loss).echo(of: far).map { Int16(clamping: Int($0)) }
            let heard = try judge(echo, far: far)
            #expect(heard.cuts.isEmpty && heard.begins.isEmpty, "\(heard), seed \(seed)")
        }
    }

    @Test("A caller who speaks over the greeting's first second cuts it off at once", arguments: [Line(delay: 20, loss: 20), Line(delay: 120, loss: 12)])
    func caller(line: Line) throws {
        let voice = SoundMaterial.tone(hertz: 300, seconds: 2, rate: Self.rate, level: -18)
        let start = 6400
        var near = line.echo(of: Self.greeting)
        for index in voice.indices { near[start + index] += Double(voice[index]) }
        let cut = try #require(try judge(near.map { Int16(clamping: Int($0)) }).cuts.first)
        #expect((801...1120).contains(cut), "\(cut) ms")
    }

    @Test("A quiet caller on a line without an echo is believed soon")
    func quietCaller() throws {
        let voice = SoundMaterial.speech(seconds: 4, rate: Self.rate, seed: 65).map { $0 / 5 }
        let begin = try #require(try judge(voice).begins.first)
        #expect(begin < 2200, "\(begin) ms")
        // Where nothing is played there is nothing to doubt.
        let alone = try #require(try judge(voice, far: SoundMaterial.silence(seconds: 4, rate: Self.rate)).begins.first)
        #expect(alone < 400, "\(alone) ms")
    }
}
