import NIOCore
import TestKit
import Testing

@testable import Gateway

/// ARCHITECTURE 4a.3: one axis of our own, whatever the source's does.
@Suite struct TimestampMapperTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func time(_ milliseconds: Int) -> NIODeadline { Self.start + .milliseconds(Int64(milliseconds)) }

    @Test func ratesAreCarriedOver() {
        var mapper = TimestampMapper(clockRate: 48000)
        for index in 0..<1000 {
            let place = mapper.place(mediaTime: Int64(77 + 160 * index), samples: 160, rate: 8000, startsAxis: index == 0, now: time(20 * index))
            #expect(place == .init(timestamp: Int64(960 * index), marker: index == 0))
        }
    }

    @Test func aNewAxisBeginsBehindTheLastFrameByWallTime() {
        var mapper = TimestampMapper(clockRate: 8000)
        _ = mapper.place(mediaTime: 0, samples: 160, rate: 8000, startsAxis: true, now: time(0))
        let place = mapper.place(mediaTime: 999_999, samples: 160, rate: 8000, startsAxis: true, now: time(500))
        #expect(place == .init(timestamp: 4000, marker: true))
        let soon = mapper.place(mediaTime: 5, samples: 160, rate: 8000, startsAxis: true, now: time(501))
        #expect(soon == .init(timestamp: 4160, marker: true))
    }

    @Test func aJumpOfMoreThanTwoSecondsIsNotTakenOver() {
        var mapper = TimestampMapper(clockRate: 8000)
        _ = mapper.place(mediaTime: 0, samples: 160, rate: 8000, startsAxis: false, now: time(0))
        #expect(mapper.place(mediaTime: 16000, samples: 160, rate: 8000, startsAxis: false, now: time(20))?.timestamp == 16000)
        let jump = mapper.place(mediaTime: 16000 + 16001, samples: 160, rate: 8000, startsAxis: false, now: time(40))
        #expect(jump == .init(timestamp: 16160, marker: true))
    }

    @Test func framesNotBeyondTheLastAreDroppedAndFiveRebase() {
        var mapper = TimestampMapper(clockRate: 8000)
        _ = mapper.place(mediaTime: 1000, samples: 160, rate: 8000, startsAxis: false, now: time(0))
        for index in 0..<4 {
            #expect(mapper.place(mediaTime: 100, samples: 160, rate: 8000, startsAxis: false, now: time(20 * index)) == nil)
        }
        #expect(mapper.place(mediaTime: 100, samples: 160, rate: 8000, startsAxis: false, now: time(100)) == .init(timestamp: 800, marker: true))
    }

    @Test func whateverComesTheOutputIncreases() {
        var generator = SeededGenerator(seed: 4)
        var mapper = TimestampMapper(clockRate: 48000)
        var last = Int64.min
        var media: Int64 = 0
        for index in 0..<20_000 {
            media += Int64.random(in: -800...1600, using: &generator)
            if generator.happens(0.01) { media = Int64.random(in: -1 << 40...1 << 40, using: &generator) }
            if index % 500 == 499 { mapper = mapper.continued(clockRate: index % 1000 == 999 ? 48000 : 8000) }
            let place = mapper.place(
                mediaTime: media, samples: 160, rate: 8000, startsAxis: generator.happens(0.02), now: time(index * 7))
            guard let place else { continue }
            #expect(place.timestamp > last)
            last = place.timestamp
        }
        #expect(mapper.timestamp(at: time(20_000 * 7)) > last)
    }
}
