/// Puts both sides of a call beside each other: two seconds of stereo, of which whatever nobody adds to any more is written.
struct RecordingMix: ~Copyable {
    /// Frames a second; a frame is a sample of each side.
    private let rate: Int
    /// Frames of the window.
    private let length: Int
    private let frames: UnsafeMutablePointer<Int16>
    /// The first frame that is not written.
    private(set) var written: Int64 = 0
    /// Behind the last frame that was added.
    private(set) var end: Int64 = 0

    init(rate: Int) {
        self.rate = rate
        length = 2 * rate
        frames = .allocate(capacity: 2 * length)
        frames.initialize(repeating: 0, count: 2 * length)
    }

    deinit { frames.deallocate() }

    /// Sound up to here is settled: what comes later than a second after the rest has no place.
    var settled: Int64 { end - Int64(rate) }

    /// - Returns: frames that came too late.
    mutating func add(
        _ samples: UnsafeBufferPointer<Int16>, at position: Int64, _ side: RecordingSide, to format: any RecordingFormat
    ) throws(RecordingFailure) -> Int {
        let late = Int(min(Int64(samples.count), max(0, written - position)))
        guard late < samples.count else { return late }
        let last = position + Int64(samples.count)
        if last > written + Int64(length) { try write(upTo: last - Int64(length), to: format) }
        var slot = slot(of: position + Int64(late), side)
        for index in late..<samples.count {
            frames[slot] = samples[index]
            slot += 2
            if slot >= 2 * length { slot -= 2 * length }
        }
        end = max(end, last)
        return late
    }

    /// Silences one side, as far as it is not written.
    mutating func blank(_ side: RecordingSide, _ range: Range<Int64>) {
        var place = max(range.lowerBound, written)
        while place < min(range.upperBound, end) {
            frames[slot(of: place, side)] = 0
            place += 1
        }
    }

    /// Writes everything before `target`; where nothing was added that is silence.
    mutating func write(upTo target: Int64, to format: any RecordingFormat) throws(RecordingFailure) {
        while written < min(target, end) {
            let start = Int(written % Int64(length))
            let count = min(Int(min(target, end) - written), length - start)
            let part = UnsafeMutableBufferPointer(start: frames + 2 * start, count: 2 * count)
            try format.write(UnsafeBufferPointer(part))
            part.update(repeating: 0)
            written += Int64(count)
        }
        guard written < target else { return }
        try format.silence(Int(target - written))
        written = target
        end = max(end, target)
    }

    private func slot(of place: Int64, _ side: RecordingSide) -> Int {
        2 * Int(place % Int64(length)) + side.rawValue
    }
}
