import Transcode

/// Hears markers in a stream of payloads.
final class MarkerListener {
    private let decoder: any AudioDecoder
    private let room: UnsafeMutableBufferPointer<Int16>
    /// Packets since one held the marker: its burst is five long.
    private var quiet = 0

    init(isOpus: Bool) throws {
        guard let decoder: any AudioDecoder = isOpus ? OpusDecoder(rate: 48_000) : G711Decoder(law: .mu) else { throw BenchFailure("no decoder") }
        self.decoder = decoder
        room = .allocate(capacity: 5760)
    }

    deinit {
        room.deallocate()
    }

    /// Milliseconds from the first sample of this payload to the one that begins a marker, if one begins here.
    func onset(in payload: ArraySlice<UInt8>) -> Double? {
        let count = payload.withUnsafeBytes { decoder.decode($0, into: room) }
        guard count > 0, let onset = CallSound.onset(in: room[..<count], rate: decoder.rate) else {
            quiet += 1
            return nil
        }
        defer { quiet = 0 }
        return quiet > 15 ? onset : nil
    }
}
