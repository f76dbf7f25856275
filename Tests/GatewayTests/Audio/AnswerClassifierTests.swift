import Foundation
import TestKit
import Testing

@testable import Gateway

@Suite struct AnswerClassifierTests {
    /// Something that swells and falls four times a second and is no tone, at 8 kHz.
    static func speech(seconds: Double, seed: UInt64 = 5) -> [Int16] {
        var random = SeededGenerator(seed: seed)
        return (0..<Int(seconds * 8000)).map { index in
            let swell = 0.55 - 0.45 * cos(2 * .pi * 4 * Double(index) / 8000)
            let voice = sin(2 * .pi * 140 * Double(index) / 8000) + sin(2 * .pi * 630 * Double(index) / 8000)
            return Int16(swell * (3000 * voice + Double.random(in: -2000...2000, using: &random)))
        }
    }

    /// A line that is not quite silent.
    static func line(seconds: Double, seed: UInt64 = 9) -> [Int16] {
        var random = SeededGenerator(seed: seed)
        return (0..<Int(seconds * 8000)).map { _ in Int16.random(in: -60...60, using: &random) }
    }

    static func tone(_ hertz: Double, seconds: Double) -> [Int16] { SoundMaterial.tone(hertz: hertz, seconds: seconds, rate: 8000) }

    /// What is found, and after how many milliseconds.
    private static func findings(_ parts: [[Int16]], rate: Int = 8000) -> [(AnswerClassifier.Finding, at: Int)] {
        let classifier = AnswerClassifier(rate: rate)
        let factor = rate / 8000
        let samples = parts.flatMap { $0 }.flatMap { Array(repeating: $0, count: factor) }
        var found: [(AnswerClassifier.Finding, at: Int)] = []
        // Packets of an odd size.
        for start in stride(from: 0, to: samples.count, by: 170) {
            var packet = Array(samples[start..<min(start + 170, samples.count)])
            if let finding = packet.withUnsafeMutableBufferPointer({ classifier.hear($0) }) { found.append((finding, (start + 170) * 1000 / rate)) }
        }
        return found
    }

    @Test(arguments: [8000, 16000, 24000]) func aPersonSaysAWordAndWaits(rate: Int) {
        let found = Self.findings([Self.line(seconds: 0.7), Self.speech(seconds: 0.6), Self.line(seconds: 5)], rate: rate)
        #expect(found.map(\.0) == [.human])
        #expect(found.allSatisfy { abs($0.at - 2100) < 100 })
    }

    @Test func aPauseWithinAGreetingDoesNotEndIt() {
        let found = Self.findings([
            Self.line(seconds: 0.5), Self.speech(seconds: 0.5), Self.line(seconds: 0.4), Self.speech(seconds: 0.5), Self.line(seconds: 3),
        ])
        #expect(found.map(\.0) == [.human])
        #expect(found.allSatisfy { abs($0.at - 2700) < 100 })
    }

    @Test(arguments: [8000, 24000]) func aMachineSpeaksOnAndBeeps(rate: Int) {
        let found = Self.findings([
            Self.line(seconds: 0.5), Self.speech(seconds: 6), Self.line(seconds: 0.7), Self.tone(1400, seconds: 0.4), Self.line(seconds: 3),
        ], rate: rate)
        #expect(found.map(\.0) == [.machine, .beep])
        #expect(found.count == 2 && abs(found[0].at - 2340) < 150 && abs(found[1].at - 7600) < 60)
    }

    @Test func aBeepAloneIsAMachines() {
        #expect(Self.findings([Self.line(seconds: 0.3), Self.tone(440, seconds: 3), Self.line(seconds: 9)]).map(\.0) == [.beep])
        #expect(Self.findings([Self.line(seconds: 0.3), Self.tone(880, seconds: 0.3), Self.line(seconds: 9)]).map(\.0) == [.beep])
    }

    @Test func aFaxAnswersWithItsTone() {
        let found = Self.findings([Self.line(seconds: 0.5), Self.tone(2100, seconds: 3), Self.line(seconds: 2)])
        #expect(found.map(\.0) == [.fax])
        #expect(found.allSatisfy { $0.at < 1000 })
    }

    @Test func nobodySaysAnything() {
        let found = Self.findings([Self.line(seconds: 10)])
        #expect(found.map(\.0) == [.silence])
        #expect(found.allSatisfy { abs($0.at - 4000) < 60 })
        #expect(Self.findings([[Int16](repeating: 0, count: 80_000)]).map(\.0) == [.silence])
    }

    /// A machine that talks until nobody listens any more: no word of it is a beep.
    @Test func speechIsNoBeep() {
        let parts = (1...40).map { Self.speech(seconds: 1, seed: UInt64($0)) }
        #expect(Self.findings(parts).map(\.0) == [.machine])
    }

    @Test func noiseThatStaysIsNoGreeting() {
        var random = SeededGenerator(seed: 3)
        // A loud line, -44 dBFS.
        let noise = (0..<80_000).map { _ in Int16.random(in: -350...350, using: &random) }
        #expect(Self.findings([noise]).map(\.0) == [.silence])
    }

    /// Full scale of either sign, and nothing at all: no sum overflows.
    @Test func extremesDoNotTrap() {
        let square = (0..<16_000).map { $0 / 8 % 2 == 0 ? Int16.max : Int16.min }
        #expect(Self.findings([square], rate: 24000).count <= 2)
        #expect(Self.findings([[]]).isEmpty)
    }
}
