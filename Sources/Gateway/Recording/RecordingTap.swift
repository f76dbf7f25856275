import NIOCore

/// Hears both sides of a call where its bridge joins them, and hands them to the thread that writes. Confined to the call's loop.
///
/// It never waits: what finds no room is left out and counted, and is silence in the file.
final class RecordingTap {
    let recording: CallRecording
    private var ring: RecordingRing?
    private var tracks = (caller: RecordingTrack(), farEnd: RecordingTrack())
    private var origin = NIODeadline.uptimeNanoseconds(0)
    private var rate = 0
    private var tone: RecordingTone?
    private var toneReachesFarEnd = false
    /// The caller heard the announcement.
    private var callerWasTold = false
    /// The phone that was told last.
    private weak var toldCallee: (any AudioPort)?

    init(_ recording: CallRecording) { self.recording = recording }

    /// A bridge begins whose sound is recorded; the first one begins the recording.
    /// - Parameters:
    ///   - rate: of the bridge's frames, in Hz.
    ///   - hasPhone: the far end is somebody to be told by the tone, not an agent.
    func attach(rate: Int, hasPhone: Bool, now: NIODeadline) {
        if ring == nil {
            let ring = RecordingRing(rate: rate)
            self.ring = ring
            origin = now
            recording.begin(ring, rate: rate)
        }
        self.rate = rate
        toneReachesFarEnd = hasPhone
        tone = recording.hasTone ? RecordingTone(rate: rate, now: now) : nil
    }

    /// The bridge is gone; another may follow.
    func detach() {
        tracks.caller.leave()
        tracks.farEnd.leave()
    }

    /// The call is over.
    func finish(now: NIODeadline) { recording.end(at: position(now)) }

    /// What has to be said before the sound may be recorded; nil when nothing has.
    func notice(caller: any AudioPort, callee: (any AudioPort)?) -> RecordingNotice? {
        guard let announcement = recording.announcement else { return nil }
        if let callee { guard toldCallee !== callee else { return nil } } else if callerWasTold { return nil }
        callerWasTold = true
        toldCallee = callee
        return RecordingNotice(announcement, to: callee.map { [caller, $0] } ?? [caller])
    }

    /// One frame of either side, before it goes on to the other.
    func hear(_ frame: borrowing AudioFrame, from side: RecordingSide, now: NIODeadline) {
        guard let ring, rate > 0 else { return }
        let unit = RecordingTrack.rate / Int64(rate)
        let count = Int64(frame.samples.count) * unit
        let (time, starts, arrival) = (frame.mediaTime &* unit, frame.startsAxis, position(now))
        let place = side == .caller
            ? tracks.caller.place(mediaTime: time, count: count, startsAxis: starts, arrival: arrival)
            : tracks.farEnd.place(mediaTime: time, count: count, startsAxis: starts, arrival: arrival)
        guard let place, recording.isHearing else { return }
        let skipped = Int(place.skipped / unit)
        let samples = UnsafeBufferPointer(rebasing: frame.samples[skipped...])
        if !ring.append(side, rate: rate, position: place.position, samples) {
            recording.drop(milliseconds: samples.count * 1000 / rate)
        }
    }

    /// Adds the tone to a frame on its way to one side.
    /// - Returns: whether the samples were changed.
    func addTone(to samples: UnsafeMutableBufferPointer<Int16>, toward side: RecordingSide, now: NIODeadline) -> Bool {
        guard let tone, recording.isHearing, side == .caller || toneReachesFarEnd else { return false }
        return tone.mix(into: samples, toward: side, now: now)
    }

    private func position(_ now: NIODeadline) -> Int64 {
        max(0, (now - origin).nanoseconds) / 1000 * (RecordingTrack.rate / 1000) / 1000
    }
}
