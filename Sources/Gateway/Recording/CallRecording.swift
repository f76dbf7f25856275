import Synchronization

/// The recording of one call, as everybody knows it: the switchboard that orders it, the media loop that hears, the thread that
/// writes, the API that pauses.
final class CallRecording: Sendable {
    let call: CallID
    /// Path below the folder of recordings.
    let file: String
    /// Said before sound is recorded.
    let announcement: Recording?
    /// Both sides hear a beep.
    let hasTone: Bool
    private let recorder: Recorder
    private let paused = Atomic<Bool>(false)
    private let begun = Atomic<Bool>(false)
    private let failed = Atomic<Bool>(false)
    /// Units of `RecordingTrack.rate`; negative until the call is over.
    private let length = Atomic<Int64>(-1)
    private let dropped = Atomic<Int>(0)

    init(call: CallID, file: String, announcement: Recording?, hasTone: Bool, recorder: Recorder) {
        self.call = call
        self.file = file
        self.announcement = announcement
        self.hasTone = hasTone
        self.recorder = recorder
    }

    // MARK: By the media loop

    func begin(_ ring: RecordingRing, rate: Int) {
        begun.store(true, ordering: .relaxed)
        recorder.begin(self, ring, rate: rate)
    }

    /// Sound is wanted: neither paused nor failed.
    var isHearing: Bool { !paused.load(ordering: .relaxed) && !failed.load(ordering: .relaxed) }

    /// So much sound found no room.
    func drop(milliseconds: Int) { dropped.add(milliseconds, ordering: .relaxed) }

    /// Nothing more comes.
    func end(at position: Int64) { length.store(position, ordering: .releasing) }

    // MARK: By the API

    /// What is said while it is paused is silence of the same length.
    func pause(_ isPaused: Bool) { paused.store(isPaused, ordering: .relaxed) }

    /// While the call runs.
    var present: CallRecord.Recorded {
        let isFailed = failed.load(ordering: .relaxed)
        return .init(file: file, state: isFailed ? .failed : paused.load(ordering: .relaxed) ? .paused : .recording)
    }

    /// Once it is over; nil when no sound was ever recorded, so that there is no file.
    var outcome: CallRecord.Recorded? {
        guard begun.load(ordering: .relaxed) else { return nil }
        return .init(file: file, state: failed.load(ordering: .relaxed) ? .failed : .finished)
    }

    // MARK: By the writing thread

    /// How long the file is to be; nil while the call runs. What came before is in the ring then.
    var end: Int64? {
        let length = length.load(ordering: .acquiring)
        return length < 0 ? nil : length
    }

    /// The disk refuses it.
    func fail() { failed.store(true, ordering: .relaxed) }

    /// Sound that is missing.
    var droppedMilliseconds: Int { dropped.load(ordering: .relaxed) }
}
