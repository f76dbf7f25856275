import NIOCore

/// Carries media time from a source's axis to the axis of what we send (ARCHITECTURE 4a.3). Both are extended 64-bit values.
///
/// The output strictly increases: a frame that would not lie beyond the last one sent is dropped, and five such in a row
/// begin a new stretch. A jump over two seconds begins one too; a stretch starts after the last frame sent, by the wall
/// time that passed, and its first packet carries the marker.
struct TimestampMapper {
    /// A frame's place on our axis.
    struct Place: Equatable {
        /// In units of the outgoing RTP clock.
        var timestamp: Int64
        /// First frame of a stretch.
        var marker: Bool
    }

    /// Hertz of the outgoing RTP clock.
    private let clockRate: Int64
    private var baseIn: Int64 = 0
    private var baseOut: Int64 = 0
    private var last: (timestamp: Int64, duration: Int64, sent: NIODeadline)?
    private var refused = 0
    private var mustRebase = false
    /// The last frame sent was silence of ours.
    private var isFilling = false
    /// When the first of the frames refused in a row came.
    private var firstRefused: NIODeadline?

    /// Longest jump that is taken over as it is, in seconds.
    private static let longestJump: Int64 = 2
    /// Frames not beyond the last one sent, in a row, after which the source has evidently begun anew.
    private static let refusalsBeforeRebase = 5
    /// Frames for time that silence of ours took come all at once after a stall; only those of a source that began anew
    /// come in their own rhythm, over more time than this.
    private static let burst = TimeAmount.milliseconds(60)

    init(clockRate: Int) {
        self.clockRate = Int64(clockRate)
    }

    /// The same axis for a new source, codec or rate: the next frame begins a new stretch behind the last one sent.
    func continued(clockRate: Int) -> TimestampMapper {
        var next = TimestampMapper(clockRate: clockRate)
        guard let last else { return next }
        let scaled = last.duration * next.clockRate / self.clockRate
        next.last = (last.timestamp, scaled, last.sent)
        next.mustRebase = true
        return next
    }

    /// - Parameters:
    ///   - mediaTime: position of the frame's first sample on the source's axis, in samples of `rate`
    ///   - samples: length of the frame in samples of `rate`
    ///   - startsAxis: the source began a new axis with this frame
    /// - Returns: nil when the frame must be dropped.
    mutating func place(mediaTime: Int64, samples: Int, rate: Int, startsAxis: Bool, now: NIODeadline) -> Place? {
        let duration = Int64(samples) * clockRate / Int64(rate)
        guard let last else { return begin(at: 0, mediaTime: mediaTime, duration: duration, now: now) }
        if startsAxis || mustRebase { return rebase(after: last, mediaTime: mediaTime, duration: duration, now: now) }
        let mapped = baseOut + (mediaTime - baseIn) * clockRate / Int64(rate)
        if mapped <= last.timestamp {
            return refuse(now: now) ? nil : rebase(after: last, mediaTime: mediaTime, duration: duration, now: now)
        }
        if mapped - last.timestamp > Self.longestJump * clockRate {
            return rebase(after: last, mediaTime: mediaTime, duration: duration, now: now)
        }
        refused = 0
        let follows = isFilling
        isFilling = false
        self.last = (mapped, duration, now)
        return Place(timestamp: mapped, marker: follows)
    }

    /// A place for silence of ours, directly behind the last frame: it lags behind wall time as much as it began late, so
    /// that the source finds the present free when it resumes.
    mutating func fill(samples: Int, rate: Int, now: NIODeadline) -> Place {
        let duration = Int64(samples) * clockRate / Int64(rate)
        guard let last, !mustRebase || isFilling else {
            let start = last.map { $0.timestamp + max($0.duration, units(from: $0.sent, to: now)) } ?? 0
            let place = begin(at: start, mediaTime: 0, duration: duration, now: now)
            (isFilling, mustRebase) = (true, true)
            return place
        }
        let place = Place(timestamp: last.timestamp + last.duration, marker: false)
        self.last = (place.timestamp, duration, now)
        isFilling = true
        return place
    }

    /// Keys are sent in place of frames: their time is the last frame's, so that silence of ours does not begin within it.
    mutating func withhold(now: NIODeadline) {
        guard let last else { return }
        self.last = (last.timestamp, max(last.duration, units(from: last.sent, to: now)), last.sent)
    }

    /// - Returns: whether a frame that is not beyond the last one sent is to be dropped.
    private mutating func refuse(now: NIODeadline) -> Bool {
        if refused == 0 { firstRefused = now }
        refused += 1
        guard refused >= Self.refusalsBeforeRebase else { return true }
        guard isFilling, let firstRefused else { return false }
        return now - firstRefused < Self.burst
    }

    /// Our axis at `now`, for what is sent beside the frames (keys): the end of the last frame, moved on by the wall time
    /// since. Never before a frame already sent.
    func timestamp(at now: NIODeadline) -> Int64 {
        guard let last else { return 0 }
        return last.timestamp + max(last.duration, units(from: last.sent, to: now))
    }

    private mutating func rebase(
        after last: (timestamp: Int64, duration: Int64, sent: NIODeadline), mediaTime: Int64, duration: Int64, now: NIODeadline
    ) -> Place {
        let step = max(last.duration, units(from: last.sent, to: now))
        return begin(at: last.timestamp + step, mediaTime: mediaTime, duration: duration, now: now)
    }

    private mutating func begin(at timestamp: Int64, mediaTime: Int64, duration: Int64, now: NIODeadline) -> Place {
        baseIn = mediaTime
        baseOut = timestamp
        refused = 0
        mustRebase = false
        isFilling = false
        last = (timestamp, duration, now)
        return Place(timestamp: timestamp, marker: true)
    }

    private func units(from start: NIODeadline, to end: NIODeadline) -> Int64 {
        (end - start).nanoseconds / 1000 * clockRate / 1_000_000
    }
}
