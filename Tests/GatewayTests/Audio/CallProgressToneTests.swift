import NIOCore
import TestKit
import Testing
import Transcode

@testable import Gateway

/// Ringing and failure tones: their cadence and their pitches, in North America and elsewhere.
@Suite struct CallProgressToneTests {
    /// What a caller hears in so many seconds.
    private static func sound(_ tone: CallProgressTone, seconds: Int, length: Int? = nil) -> (samples: [Int16], isOver: Bool) {
        let player = SoundPlayer(.tone(tone, milliseconds: length))
        let collector = Collector()
        player.start(rate: 8000, gapFree: false, sink: collector, now: .uptimeNanoseconds(0))
        for _ in 0..<seconds * 50 { player.tick(now: .uptimeNanoseconds(0)) }
        return (collector.samples, player.isOver)
    }

    @Test func ringingIsASecondInFive() {
        let report = ToneMeter.analyse(Self.sound(.ringback(country: "44"), seconds: 10).samples, rate: 8000, expectedHz: 425)
        #expect(abs(report.frequency - 425) < 0.2)
        #expect(report.gaps.count == 1)
        #expect(abs(report.longestGap - 4000) < 30)
        #expect(abs((report.lastSoundAt ?? 0) - 6000) < 20)
    }

    @Test func northAmericaRingsTwoSecondsInSixWithTwoTones() {
        let samples = Self.sound(.ringback(country: "1"), seconds: 6).samples
        let sounding = Array(samples.prefix(16_000))
        #expect(Self.power(sounding, 440) > 100 * Self.power(sounding, 425))
        #expect(Self.power(sounding, 480) > 100 * Self.power(sounding, 425))
        #expect(samples.dropFirst(16_000).allSatisfy { $0 == 0 })
    }

    @Test func busyIsSlowerThanEverythingElseAndEndsByItself() {
        let busy = Self.sound(.failure(.busy, country: ""), seconds: 5, length: CallProgressTone.failureLength)
        #expect(busy.isOver)
        #expect(busy.samples.count == 24_000)
        #expect(ToneMeter.analyse(busy.samples, rate: 8000, expectedHz: 425).gaps.count == 2)
        let congestion = Self.sound(.failure(.unreachable, country: ""), seconds: 5, length: CallProgressTone.failureLength)
        #expect(ToneMeter.analyse(congestion.samples, rate: 8000, expectedHz: 425).gaps.count == 5)
    }

    /// Goertzel's, over the whole sound.
    private static func power(_ samples: [Int16], _ hertz: Double) -> Double {
        let factor = 2 * cosine(2 * Double.pi * hertz / 8000)
        var (last, before) = (0.0, 0.0)
        for sample in samples { (last, before) = (Double(sample) + factor * last - before, last) }
        return last * last + before * before - factor * last * before
    }

    private final class Collector: AudioSink {
        var samples: [Int16] = []

        func receive(_ frame: borrowing AudioFrame, from port: any AudioPort, now: NIODeadline) { samples += Array(frame.samples) }
        func receive(digit: Digit, from port: any AudioPort, now: NIODeadline) {}
    }
}
