import Testing

@testable import Gateway

@Suite("Places of recorded frames")
struct RecordingTrackTests {
    static let frame: Int64 = 960
    static let millisecond: Int64 = 48

    @Test func whatComesInTimeFollowsWithoutGaps() {
        var track = RecordingTrack()
        for index in 0..<500 as Range<Int64> {
            // Jitter of up to 15 ms, after a first frame that is prompt.
            let jitter = index % 7 * 2 * Self.millisecond
            let place = track.place(mediaTime: 5000 + index * Self.frame, count: Self.frame, startsAxis: index == 0, arrival: index * Self.frame + jitter)
            #expect(place == .init(position: index * Self.frame, skipped: 0))
        }
    }

    @Test func aLateFirstFrameMovesNobodyForGood() throws {
        var track = RecordingTrack()
        _ = track.place(mediaTime: 0, count: Self.frame, startsAxis: true, arrival: 100 * Self.millisecond)
        var last: RecordingTrack.Place?
        for index in 1..<10 as Range<Int64> {
            last = track.place(mediaTime: index * Self.frame, count: Self.frame, startsAxis: false, arrival: index * Self.frame) ?? last
        }
        #expect(last == .init(position: 9 * Self.frame, skipped: 0))
    }

    /// In an hour a clock that is 200 millionths off gains or loses 720 ms.
    @Test(arguments: [200.0, -200, 50, -50])
    func anHourDoesNotTearTheSidesApart(millionths: Double) throws {
        var track = RecordingTrack()
        var worst: Int64 = 0
        var moves = 0
        var free: Int64 = 0
        for index in 0..<180_000 as Range<Int64> {
            let arrival = Int64(Double(index * Self.frame) * (1 - millionths * 1e-6)) + index % 5 * Self.millisecond
            guard let place = track.place(mediaTime: index * Self.frame, count: Self.frame, startsAxis: false, arrival: arrival) else { continue }
            worst = max(worst, abs(place.position - place.skipped - arrival))
            #expect(place.position >= free)
            if place.position != free { moves += 1 }
            free = place.position - place.skipped + Self.frame
            if place.skipped > 0 { moves += 1 }
        }
        #expect(worst <= 26 * Self.millisecond)
        // A move is audible: about one for each 20 ms of drift.
        #expect(moves <= Int(abs(millionths) * 3.6 / 20) + 2)
    }

    @Test func aSlowerWayMovesTheSound() throws {
        var track = RecordingTrack()
        for index in 0..<100 as Range<Int64> {
            _ = track.place(mediaTime: index * Self.frame, count: Self.frame, startsAxis: false, arrival: index * Self.frame)
        }
        var last: RecordingTrack.Place?
        for index in 100..<500 as Range<Int64> {
            last = track.place(mediaTime: index * Self.frame, count: Self.frame, startsAxis: false, arrival: index * Self.frame + 80 * Self.millisecond)
        }
        let place = try #require(last)
        #expect(abs(place.position - 499 * Self.frame - 80 * Self.millisecond) <= 20 * Self.millisecond)
    }

    @Test func jumpsAndNewSourcesBeginWhereTheyArrive() {
        var track = RecordingTrack()
        _ = track.place(mediaTime: 0, count: Self.frame, startsAxis: true, arrival: 0)
        #expect(track.place(mediaTime: 9_000_000, count: Self.frame, startsAxis: false, arrival: 5000) == .init(position: 5000, skipped: 0))
        #expect(track.place(mediaTime: -5, count: Self.frame, startsAxis: true, arrival: 8000) == .init(position: 8000, skipped: 0))
        #expect(track.place(mediaTime: .min, count: Self.frame, startsAxis: false, arrival: 10_000) == .init(position: 10_000, skipped: 0))
        track.leave()
        #expect(track.place(mediaTime: .max, count: Self.frame, startsAxis: false, arrival: 20_000) == .init(position: 20_000, skipped: 0))
    }

    @Test func timeIsTakenOnce() {
        var track = RecordingTrack()
        #expect(track.place(mediaTime: 0, count: 960, startsAxis: true, arrival: 0) == .init(position: 0, skipped: 0))
        #expect(track.place(mediaTime: 0, count: 960, startsAxis: true, arrival: 400) == .init(position: 960, skipped: 560))
        #expect(track.place(mediaTime: 0, count: 960, startsAxis: true, arrival: 100) == nil)
    }
}
