import NIOCore

/// What may have to be said again when the agent comes back: the last five seconds of the caller's sound and the last events.
final class TandemReplay {
    /// Samples of a frame.
    private let frameSamples: Int
    private let samples: UnsafeMutableBufferPointer<Int16>
    /// Of each frame.
    private let tracks: UnsafeMutableBufferPointer<TandemDialect.Track>
    /// Where on the caller's clock the next frame stands.
    private(set) var end: Int64 = 0
    private var frames = 0
    private var events: [(seq: Int64, text: ByteBuffer)] = []

    static let seconds = 5
    static let mostEvents = 256
    private static let most = seconds * 50

    init(rate: Int) {
        frameSamples = rate / 50
        samples = .allocate(capacity: Self.most * frameSamples)
        samples.initialize(repeating: 0)
        tracks = .allocate(capacity: Self.most)
        tracks.initialize(repeating: .caller)
    }

    deinit {
        samples.deallocate()
        tracks.deallocate()
    }

    /// Keeps the frame that stands at `end`.
    func keep(_ frame: UnsafeBufferPointer<Int16>, track: TandemDialect.Track = .caller) {
        let number = Int(end / Int64(frameSamples)) % Self.most
        let place = number * frameSamples
        guard let base = samples.baseAddress, let source = frame.baseAddress, frame.count == frameSamples else { return }
        (base + place).update(from: source, count: frameSamples)
        tracks[number] = track
        end += Int64(frameSamples)
        frames = min(frames + 1, Self.most)
    }

    /// The first sample that is still kept.
    var start: Int64 { end - Int64(frames * frameSamples) }

    /// Calls `body` with every kept frame from that of sample `position` on, whose it is, and where it stands.
    func frames(from position: Int64, _ body: (UnsafeBufferPointer<Int16>, TandemDialect.Track, Int64) -> Void) {
        var place = max(start, position / Int64(frameSamples) * Int64(frameSamples))
        while place < end {
            let number = Int(place / Int64(frameSamples)) % Self.most
            let first = number * frameSamples
            body(UnsafeBufferPointer(rebasing: samples[first..<(first + frameSamples)]), tracks[number], place)
            place += Int64(frameSamples)
        }
    }

    func keep(event text: ByteBuffer, seq: Int64) {
        if events.count == Self.mostEvents { events.removeFirst() }
        events.append((seq, text))
    }

    /// The kept events after `seq`, in order.
    func events(after seq: Int64) -> [ByteBuffer] { events.filter { $0.seq > seq }.map(\.text) }
}
