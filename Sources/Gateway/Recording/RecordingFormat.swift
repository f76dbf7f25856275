/// A kind of file that stereo sound is written to. What was written can be heard even if the process is killed.
protocol RecordingFormat: AnyObject {
    /// Interleaved samples, left first.
    func write(_ samples: UnsafeBufferPointer<Int16>) throws(RecordingFailure)
    /// So many frames of silence.
    func silence(_ frames: Int) throws(RecordingFailure)
    /// Brings what was written into a form that players read.
    func checkpoint() throws(RecordingFailure)
    /// Nothing more comes: the file gets its name.
    func finish() throws(RecordingFailure)
}

/// The bytes of a recording; on a disk, or in tests elsewhere.
protocol RecordingOutput: AnyObject {
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(RecordingFailure)
    /// Makes it so long, with zeros.
    func extend(to length: Int64) throws(RecordingFailure)
    /// It is complete: to the disk with it, under its name.
    func finish() throws(RecordingFailure)
}

/// The disk does not take it.
struct RecordingFailure: Error, Equatable, CustomStringConvertible {
    /// The system's words, such as `No space left on device`.
    let description: String
}
