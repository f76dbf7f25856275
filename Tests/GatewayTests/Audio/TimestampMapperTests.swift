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

    @Test func silenceFollowsTheLastFrameAndTheSourceFindsThePresentFree() {
        var mapper = TimestampMapper(clockRate: 8000)
        _ = mapper.place(mediaTime: 0, samples: 160, rate: 8000, startsAxis: true, now: time(0))
        for index in 1...10 {
            #expect(mapper.fill(samples: 160, rate: 8000, now: time(100 + 20 * index)) == .init(timestamp: Int64(160 * index), marker: false))
        }
        // The source resumes at 320 ms of its own time, without having begun anew.
        let resumed = mapper.place(mediaTime: 2560, samples: 160, rate: 8000, startsAxis: false, now: time(320))
        #expect(resumed == .init(timestamp: 2560, marker: true))
        #expect(mapper.place(mediaTime: 2720, samples: 160, rate: 8000, startsAxis: false, now: time(340)) == .init(timestamp: 2720, marker: false))
    }

    @Test func whatAStallHeldBackDoesNotMoveTheAxisButANewBeginningDoes() {
        var mapper = TimestampMapper(clockRate: 8000)
        _ = mapper.place(mediaTime: 0, samples: 160, rate: 8000, startsAxis: true, now: time(0))
        for index in 1...10 { _ = mapper.fill(samples: 160, rate: 8000, now: time(100 + 20 * index)) }
        // Ten frames at once, all for time that is filled.
        for index in 1...10 {
            #expect(mapper.place(mediaTime: Int64(160 * index), samples: 160, rate: 8000, startsAxis: false, now: time(310)) == nil)
        }
        #expect(mapper.place(mediaTime: 1760, samples: 160, rate: 8000, startsAxis: false, now: time(310))?.timestamp == 1760)

        // A phone whose media time stood still while it was mute: in its own rhythm.
        for index in 1...10 { _ = mapper.fill(samples: 160, rate: 8000, now: time(420 + 20 * index)) }
        let places = (0..<6).map { index in
            mapper.place(mediaTime: Int64(1920 + 160 * index), samples: 160, rate: 8000, startsAxis: false, now: time(640 + 20 * index))
        }
        #expect(places.prefix(4).allSatisfy { $0 == nil })
        #expect(places[4]?.marker == true)
        #expect(places[5].map { $0.timestamp - (places[4]?.timestamp ?? 0) } == 160)
    }
}
