/// Where the frames of one side stand on the call's clock: by their own media time, as long as that agrees with the time they come
/// at. So jitter does not tear the sound apart, and a far end whose clock runs fast or slow stays beside the other.
///
/// A value without clock or storage; all numbers are in units of 1/48000 s since the recording began.
struct RecordingTrack {
    /// Units a second: every rate that ports speak divides it.
    static let rate: Int64 = 48_000
    /// A frame may stand this far from its time of arrival before the axis is moved: one frame of sound.
    private static let tolerance = rate / 50
    /// A jump of the far end's clock, not its drift.
    private static let jump = rate
    /// Time in which even a slow network brings one frame at its usual delay.
    private static let window = 2 * rate
    private static let framesOfWindow = 20

    /// From the sender's media time to ours; nil before the first frame of an axis.
    private var offset: Int64?
    /// The first place that is free.
    private var free: Int64 = 0
    private var windowStart: Int64 = 0
    /// The frame of this window that came soonest: how far its place is before (negative) its arrival.
    private var soonest = Int64.min
    private var framesSeen = 0

    /// What to do with a frame: its first `skipped` units have no place any more, the rest begins at `position`.
    struct Place: Equatable {
        var position: Int64
        var skipped: Int64
    }

    /// - Parameters:
    ///   - mediaTime: of the frame's first sample, by its sender.
    ///   - count: length of the frame.
    /// - Returns: nil for a frame whose time is taken.
    mutating func place(mediaTime: Int64, count: Int64, startsAxis: Bool, arrival: Int64) -> Place? {
        if startsAxis { offset = nil }
        var place = arrival
        if let offset, abs(mediaTime &+ offset &- arrival) <= Self.jump {
            place = adjusted(mediaTime &+ offset, mediaTime: mediaTime, arrival: arrival)
        } else {
            anchor(mediaTime, arrival)
        }
        let skipped = max(0, free - place)
        guard skipped < count else { return nil }
        free = place + count
        return Place(position: place + skipped, skipped: skipped)
    }

    /// The source is exchanged: the next frame begins an axis.
    mutating func leave() { offset = nil }

    private mutating func anchor(_ mediaTime: Int64, _ arrival: Int64) {
        offset = arrival &- mediaTime
        beginWindow(arrival)
    }

    private mutating func beginWindow(_ arrival: Int64) {
        windowStart = arrival
        soonest = .min
        framesSeen = 0
    }

    private mutating func adjusted(_ place: Int64, mediaTime: Int64, arrival: Int64) -> Int64 {
        let lead = place - arrival
        // Nothing comes before it was said: the first frames were late ones, or the sender's clock is fast.
        if lead > Self.tolerance {
            anchor(mediaTime, arrival)
            return arrival
        }
        soonest = max(soonest, lead)
        framesSeen += 1
        guard arrival - windowStart >= Self.window, framesSeen >= Self.framesOfWindow else { return place }
        let lag = soonest
        beginWindow(arrival)
        guard lag < -Self.tolerance else { return place }
        // Every frame was late: the sender's clock is slow, or its way became longer.
        offset = offset.map { $0 - lag }
        return place - lag
    }
}
