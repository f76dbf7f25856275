import Logging
import Transcode

/// Writes the recording of one call: takes its sound out of the ring, lays both sides out on the call's clock, and fills the file.
/// Belongs to the writing thread.
final class RecordingWriter {
    let recording: CallRecording
    private let ring: RecordingRing
    private let rate: Int
    private let format: any RecordingFormat
    private var mix: RecordingMix
    private let scratch = SampleBuffer(capacity: RecordingRing.longestChunk)
    private var sides: [Side]
    /// Written at the last checkpoint.
    private var checked: Int64 = 0
    /// Milliseconds of sound that came after its time had been written.
    private(set) var lateMilliseconds = 0

    /// What each side needs on its way into the file.
    private struct Side {
        var keys: InbandKeys?
        var resampler: Resampler?
        var output = SampleBuffer(capacity: 0)
        /// Of what comes in.
        var rate: Int
        /// Where the next chunk is expected, in frames; keeps a resampler's chunks in one row.
        var next: Int64 = -1
    }

    /// A key is recognised this much after it began, in milliseconds, at most.
    private static let recognition: Int64 = 60

    /// - Parameters:
    ///   - rate: of the file, in Hz.
    ///   - keepsDigits: false silences keys that are heard as tones.
    init(_ recording: CallRecording, _ ring: RecordingRing, rate: Int, keepsDigits: Bool, format: any RecordingFormat) {
        self.recording = recording
        self.ring = ring
        self.rate = rate
        self.format = format
        mix = RecordingMix(rate: rate)
        sides = RecordingSide.allCases.map { _ in Side(keys: keepsDigits ? nil : InbandKeys(rate: rate), rate: rate) }
    }

    /// Writes what came.
    /// - Returns: whether the recording is complete.
    func drain() throws(RecordingFailure) -> Bool {
        // Before the ring is emptied: what is heard until the end is in it by then.
        let end = recording.end
        while let chunk = ring.take(into: scratch.samples) { try add(chunk) }
        guard let end else {
            try mix.write(upTo: mix.settled, to: format)
            if mix.written - checked >= Int64(rate) {
                checked = mix.written
                try format.checkpoint()
            }
            return false
        }
        try finish(at: frames(end))
        return true
    }

    /// The gateway stops, or the disk was full: what there is becomes a file.
    func close() throws(RecordingFailure) {
        while let chunk = ring.take(into: scratch.samples) { try add(chunk) }
        try finish(at: mix.end)
    }

    /// Gives the file its name as it is.
    func abandon() { try? format.finish() }

    private func finish(at length: Int64) throws(RecordingFailure) {
        try mix.write(upTo: max(length, mix.end), to: format)
        try format.finish()
    }

    private func frames(_ position: Int64) -> Int64 { position / (RecordingTrack.rate / Int64(rate)) }

    private func add(_ chunk: RecordingRing.Chunk) throws(RecordingFailure) {
        let side = chunk.side
        let samples = converted(scratch.prefix(chunk.count), of: side, rate: chunk.rate)
        guard !samples.isEmpty else { return }
        var position = frames(chunk.position)
        // The lengths of a resampler's pieces vary by a sample: they still follow each other.
        let expected = sides[side.rawValue].next
        if abs(position - expected) <= 2 { position = expected }
        sides[side.rawValue].next = position + Int64(samples.count)
        let late = try mix.add(UnsafeBufferPointer(samples), at: position, side, to: format)
        lateMilliseconds += late * 1000 / rate
        hideKeys(samples, at: position, side)
    }

    private func hideKeys(_ samples: UnsafeMutableBufferPointer<Int16>, at position: Int64, _ side: RecordingSide) {
        guard let keys = sides[side.rawValue].keys else { return }
        let wasPressed = keys.isPressed
        var began = false
        keys.hear(samples) { _ in began = true }
        guard wasPressed || began || keys.isPressed else { return }
        let before = began ? Self.recognition * Int64(rate) / 1000 : 0
        mix.blank(side, position - before..<position + Int64(samples.count))
    }

    /// A far end that came later may have another rate.
    private func converted(_ samples: UnsafeMutableBufferPointer<Int16>, of side: RecordingSide, rate: Int) -> UnsafeMutableBufferPointer<Int16> {
        let index = side.rawValue
        if sides[index].rate != rate {
            sides[index].rate = rate
            sides[index].resampler = rate == self.rate ? nil : Resampler(from: rate, to: self.rate)
            let room = sides[index].resampler?.maximumOutput(for: RecordingRing.longestChunk) ?? 0
            sides[index].output = SampleBuffer(capacity: room)
        }
        guard let resampler = sides[index].resampler else { return samples }
        let output = sides[index].output
        return output.prefix(resampler.process(UnsafeBufferPointer(samples), into: output.samples))
    }
}
