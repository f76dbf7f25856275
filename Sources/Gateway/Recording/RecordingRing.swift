import Synchronization

/// The way of a call's sound from its media loop to the thread that writes recordings: one writer, one reader, no lock, nothing
/// allocated after `init`. When the reader is slow it runs full and takes no more; the writer never waits.
final class RecordingRing: @unchecked Sendable {
    /// What stands before the samples.
    struct Chunk {
        var side: RecordingSide
        /// Samples a second.
        var rate: Int
        /// The first sample's place, in units of `RecordingTrack.rate` since the recording began.
        var position: Int64
        var count: Int
    }

    private let bytes: UnsafeMutableRawPointer
    /// A power of two.
    private let capacity: Int
    /// Bytes ever put and ever taken.
    private let put = Atomic<Int>(0)
    private let taken = Atomic<Int>(0)

    /// Milliseconds of both sides that find room: a disk may stand still for as long.
    private static let room = 4000
    /// Samples of the longest chunk: 120 ms at 48 kHz.
    static let longestChunk = 5760
    /// Chunks begin at multiples of this, so that a header is in one piece; it is a header's length.
    private static let unit = 16

    /// - Parameter rate: of the call's bridge, in Hz. A later one of a higher rate finds room for less.
    init(rate: Int) {
        let wanted = rate / 1000 * Self.room * RecordingSide.allCases.count * MemoryLayout<Int16>.size
        var size = 1 << 16
        while size < wanted { size <<= 1 }
        capacity = size
        bytes = .allocate(byteCount: size, alignment: Self.unit)
    }

    deinit { bytes.deallocate() }

    /// Called by the media loop.
    /// - Returns: false, and the samples are not taken, when there is no room.
    func append(
        _ side: RecordingSide, rate: Int, position: Int64, _ samples: UnsafeBufferPointer<Int16>
    ) -> Bool {
        guard let source = samples.baseAddress, samples.count <= Self.longestChunk else { return false }
        let length = samples.count * MemoryLayout<Int16>.size
        let whole = (Self.unit + length + Self.unit - 1) & ~(Self.unit - 1)
        let place = put.load(ordering: .relaxed)
        guard whole <= capacity - (place - taken.load(ordering: .acquiring)) else { return false }
        let header = bytes + (place & (capacity - 1))
        header.storeBytes(of: position, as: Int64.self)
        header.storeBytes(of: Int64(samples.count) << 32 | Int64(rate) << 8 | Int64(side.rawValue), toByteOffset: 8, as: Int64.self)
        let start = (place + Self.unit) & (capacity - 1)
        let first = min(length, capacity - start)
        (bytes + start).copyMemory(from: source, byteCount: first)
        if first < length { bytes.copyMemory(from: UnsafeRawPointer(source) + first, byteCount: length - first) }
        put.store(place + whole, ordering: .releasing)
        return true
    }

    /// Called by the writing thread: the oldest chunk, whose samples are copied to `samples`, which has room for the longest.
    func take(into samples: UnsafeMutableBufferPointer<Int16>) -> Chunk? {
        let place = taken.load(ordering: .relaxed)
        guard place < put.load(ordering: .acquiring), let target = samples.baseAddress else { return nil }
        let header = bytes + (place & (capacity - 1))
        let word = header.load(fromByteOffset: 8, as: Int64.self)
        let count = min(Int(word >> 32), samples.count)
        let chunk = Chunk(
            side: RecordingSide(rawValue: Int(word & 0xFF)) ?? .caller, rate: Int(word >> 8 & 0xFF_FFFF),
            position: header.load(as: Int64.self), count: count)
        let length = count * MemoryLayout<Int16>.size
        let start = (place + Self.unit) & (capacity - 1)
        let first = min(length, capacity - start)
        let destination = UnsafeMutableRawPointer(target)
        destination.copyMemory(from: bytes + start, byteCount: first)
        if first < length { (destination + first).copyMemory(from: bytes, byteCount: length - first) }
        taken.store(place + ((Self.unit + length + Self.unit - 1) & ~(Self.unit - 1)), ordering: .releasing)
        return chunk
    }
}
