/// Which calls are recorded: those whose step says `record`, from the moment both sides are joined.
extension SwitchboardCore {
    /// The recording that hears the far end which took the call; nil when it is not to be recorded.
    func recording(of entry: CallEntry) -> CallRecording? {
        guard entry.isStepRecorded, let recorder else { return nil }
        if let recording = entry.recording { return recording }
        let recording = recorder.makeRecording(of: entry.id, at: now())
        entries[entry.id]?.recording = recording
        note("Recorded from here on.", entry.id)
        entry.logger.info("recording", metadata: ["file": "\(recording.file)"])
        return recording
    }

    /// Pauses a recording, or goes on with it.
    func pauseRecording(_ isPaused: Bool, of id: CallID) -> Result<CallRecord.Recorded, RecordingRefusal> {
        guard let entry = entries[id], !entry.call.isEnding else { return .failure(.noSuchCall) }
        guard let recording = entry.recording else { return .failure(.notRecorded) }
        guard recording.present.state != .failed else { return .failure(.failed) }
        if (recording.present.state == .paused) != isPaused {
            recording.pause(isPaused)
            note(isPaused ? "The recording is paused." : "The recording goes on.", id)
            entry.logger.info("recording \(isPaused ? "paused" : "goes on")")
        }
        return .success(recording.present)
    }
}

/// Why a recording cannot be paused or go on.
enum RecordingRefusal: Error, Equatable {
    case noSuchCall
    /// The call is not recorded, or not yet.
    case notRecorded
    /// The disk refused it.
    case failed
}
