import Transcode

/// The place where one sound on a line ends and another begins, or silence: the last sample of the old one decays over the first 5 ms of
/// the new one, so that a far end that breaks off in the middle of a word is no click.
struct Seam {
    private var last: Int16 = 0
    private var isOpen = false

    /// Below this a step is not heard.
    private static let quiet: Int16 = 64

    /// What comes next is another sound.
    mutating func open() { isOpen = true }

    /// What left as it came.
    mutating func note(_ samples: UnsafeMutableBufferPointer<Int16>) {
        last = samples.last ?? last
        isOpen = false
    }

    /// What is about to leave.
    mutating func join(_ samples: UnsafeMutableBufferPointer<Int16>, rate: Int) {
        defer { note(samples) }
        guard isOpen, last > Self.quiet || last < -Self.quiet, let first = samples.first else { return }
        let step = Int32(last) &- Int32(first)
        let length = Int32(min(Ramp.samples(at: rate), samples.count))
        for index in 0..<length {
            let place = Int(index)
            samples[place] = Int16(clamping: Int32(samples[place]) &+ step &* (length &- index) / length)
        }
    }
}
