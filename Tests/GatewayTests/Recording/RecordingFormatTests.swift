import TestKit
import Testing

@testable import Gateway

@Suite("Files of recordings")
struct RecordingFormatTests {
    private static func write(_ left: [Int16], _ right: [Int16], to format: any RecordingFormat) throws {
        let frames = zip(left, right).flatMap { [$0, $1] }
        // In pieces that fit nothing.
        for start in stride(from: 0, to: frames.count, by: 346) {
            try frames[start..<min(start + 346, frames.count)].withUnsafeBufferPointer { try format.write($0) }
        }
    }

    @Test func aWAVFilePlaysAtEveryCheckpoint() throws {
        let disk = MemoryRecordings()
        let format = try WAVFormat(disk.output("a"), rate: 16_000)
        let tone = SoundMaterial.tone(hertz: 700, seconds: 0.5, rate: 16_000)
        try Self.write(tone, tone.reversed(), to: format)
        try format.checkpoint()
        let first = try #require(StereoSound(wave: disk.only?.bytes ?? []))
        #expect(first.left == tone && first.right == tone.reversed())
        try format.silence(8000)
        try Self.write(tone, tone, to: format)
        try format.silence(4)
        // Not before the next checkpoint.
        #expect(StereoSound(wave: disk.only?.bytes ?? [])?.left == tone)
        try format.finish()
        let whole = try #require(StereoSound(wave: disk.only?.bytes ?? []))
        #expect(whole.rate == 16_000)
        #expect(whole.left == tone + [Int16](repeating: 0, count: 8000) + tone + [0, 0, 0, 0])
        #expect(disk.only?.isFinished == true)
    }

    @Test func beyondFourGigabytesSizesStay() {
        let header = WAVFormat.header(rate: 48_000, dataLength: 5 << 30)
        #expect(header.count == WAVFormat.headerLength)
        #expect(header[4..<8].allSatisfy { $0 == 0xFF } && header[40...].allSatisfy { $0 == 0xFF })
    }

    @Test(arguments: [8000, 16_000, 24_000, 48_000])
    func opusKeepsBothSidesApart(rate: Int) throws {
        let disk = MemoryRecordings()
        let format = try OggOpusFormat(disk.output("a"), rate: rate, serial: -7)
        let quiet = SoundMaterial.silence(seconds: 0.5, rate: rate)
        let left = SoundMaterial.tone(hertz: 440, seconds: 1, rate: rate) + quiet
        let right = quiet + SoundMaterial.tone(hertz: 1000, seconds: 1, rate: rate)
        try Self.write(left, right, to: format)
        try format.finish()
        let sound = try #require(StereoSound(opus: disk.only?.bytes ?? []))
        #expect(abs(sound.milliseconds - 1500) < 0.1)
        for (side, hertz, start) in [(sound.left, 440.0, 0.0), (sound.right, 1000, 500)] {
            let report = ToneMeter.analyse(side, rate: 48_000, expectedHz: hertz)
            #expect(abs(report.frequency - hertz) < 1)
            #expect(report.snr > 15)
            #expect(abs((report.firstSoundAt ?? -100) - start) < 12)
            #expect(abs((report.lastSoundAt ?? -100) - start - 1000) < 25)
        }
        // Nothing of one side is heard on the other.
        #expect(sound.part(sound.right, 0..<450).allSatisfy { abs(Int($0)) < 40 })
        #expect(sound.part(sound.left, 1100..<1500).allSatisfy { abs(Int($0)) < 40 })
    }

    @Test func longSilenceInOpusIsCheapAndStaysSilent() throws {
        let disk = MemoryRecordings()
        let format = try OggOpusFormat(disk.output("a"), rate: 16_000, serial: 1)
        let tone = SoundMaterial.tone(hertz: 700, seconds: 0.4, rate: 16_000)
        try Self.write(tone, tone, to: format)
        try format.silence(60 * 16_000 + 17)
        try Self.write(tone, tone, to: format)
        try format.finish()
        #expect((disk.only?.bytes.count ?? .max) < 70_000)
        let sound = try #require(StereoSound(opus: disk.only?.bytes ?? []))
        #expect(abs(sound.milliseconds - 60_801) < 1)
        #expect(sound.part(sound.left, 500..<60_380).allSatisfy { abs(Int($0)) < 40 })
        let second = ToneMeter.analyse(sound.part(sound.right, 60_300..<60_801), rate: 48_000, expectedHz: 700)
        #expect(abs((second.firstSoundAt ?? -100) - 101) < 12)
        #expect(second.snr > 15)
    }

    @Test func opusIsPlayableWithoutItsEnd() throws {
        let disk = MemoryRecordings()
        let format = try OggOpusFormat(disk.output("a"), rate: 8000, serial: 1)
        let tone = SoundMaterial.tone(hertz: 700, seconds: 2, rate: 8000)
        try Self.write(tone, tone, to: format)
        try format.checkpoint()
        try Self.write(tone, tone, to: format)
        let bytes = disk.only?.bytes ?? []
        // A page is cut in two.
        for end in [bytes.count, bytes.count - 100] {
            let sound = try #require(StereoSound(opus: Array(bytes[..<end])))
            #expect(sound.milliseconds > 1900)
        }
    }
}
