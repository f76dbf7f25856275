import TestKit
import Testing
import Transcode

@testable import Gateway

/// Files of the dial plan's `play` steps.
@Suite struct RecordingTests {
    private static func wave(tag: Int, channels: Int, rate: Int, bits: Int, data: [UInt8]) -> [UInt8] {
        func number(_ value: Int, _ size: Int) -> [UInt8] { (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        var bytes = Array("RIFF".utf8) + number(36 + data.count, 4) + Array("WAVEfmt ".utf8) + number(16, 4)
        bytes += number(tag, 2) + number(channels, 2) + number(rate, 4) + number(rate * channels * bits / 8, 4)
        bytes += number(channels * bits / 8, 2) + number(bits, 2)
        return bytes + Array("data".utf8) + number(data.count, 4) + data
    }

    @Test(arguments: [8000, 16000, 24000, 48000]) func linearFilesAreTakenAsTheyAre(_ rate: Int) throws {
        let samples = SoundMaterial.tone(hertz: 440, seconds: 0.1, rate: rate)
        let recording = try Recording(wave: WAVFile(rate: rate, samples: samples).bytes)
        #expect(recording == Recording(rate: rate, samples: samples))
    }

    @Test func otherRatesAreConverted() throws {
        let samples = SoundMaterial.tone(hertz: 440, seconds: 1, rate: 22050)
        let recording = try Recording(wave: WAVFile(rate: 22050, samples: samples).bytes)
        #expect(recording.rate == 24000)
        #expect(recording.samples.count == 24000)
        let report = ToneMeter.analyse(recording.samples, rate: 24000, expectedHz: 440)
        #expect(abs(report.frequency - 440) < 0.2)
        #expect(report.snr > 30)
    }

    @Test func channelsAreMixedAndG711IsExpanded() throws {
        let stereo = Self.wave(tag: 1, channels: 2, rate: 8000, bits: 16, data: [0x10, 0, 0x20, 0, 0xF0, 0xFF, 0xE0, 0xFF])
        #expect(try Recording(wave: stereo).samples == [0x18, -0x18])
        let mu = Self.wave(tag: 7, channels: 1, rate: 8000, bits: 8, data: [0xFF, 0x80])
        #expect(try Recording(wave: mu).samples == [0, 32124])
    }

    @Test func whatIsNoSuchFileIsRefused() {
        #expect(throws: Recording.Failure.notWave) { try Recording(wave: []) }
        #expect(throws: Recording.Failure.notWave) { try Recording(wave: Array("ID3 and more".utf8)) }
        #expect(throws: Recording.Failure.empty) { try Recording(wave: Self.wave(tag: 1, channels: 1, rate: 8000, bits: 16, data: [])) }
        #expect(throws: Recording.Failure.self) { try Recording(wave: Self.wave(tag: 3, channels: 1, rate: 8000, bits: 32, data: [0, 0, 0, 0])) }
        #expect(throws: Recording.Failure.self) { try Recording(wave: Self.wave(tag: 1, channels: 1, rate: 96000, bits: 16, data: [0, 0])) }
    }

    /// Whatever bytes come, nothing traps.
    @Test func damagedFilesAreReadOrRefused() {
        var generator = SeededGenerator(seed: 9)
        let whole = Self.wave(tag: 1, channels: 2, rate: 8000, bits: 16, data: [UInt8](repeating: 7, count: 64))
        for _ in 0..<5000 {
            var bytes = Array(whole.prefix(Int.random(in: 0...whole.count, using: &generator)))
            for _ in 0..<3 where !bytes.isEmpty { bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator) }
            _ = try? Recording(wave: bytes)
        }
    }
}
