import Transcode

/// The sound of packets that are passed on undecoded, for whoever must hear it all the same.
final class PacketSound {
    private let decoder: OpusDecoder
    private let scratch = SampleBuffer(capacity: PacketSound.largestFrame)

    /// 120 ms at 48 kHz.
    private static let largestFrame = 5760

    /// nil for a rate in Hz that Opus does not decode to.
    init?(rate: Int) {
        guard let decoder = OpusDecoder(rate: rate) else { return nil }
        self.decoder = decoder
    }

    /// The samples of `payload`; none where it cannot be decoded. Valid until the next call.
    func decode(_ payload: UnsafeRawBufferPointer) -> UnsafeMutableBufferPointer<Int16> {
        scratch.prefix(decoder.decode(payload, into: scratch.samples))
    }

    /// The frame with its sound, silence where the packet has none that can be decoded.
    func decoded(_ frame: borrowing AudioFrame) -> AudioFrame {
        var sound = copy frame
        sound.form = .decodedPacket
        let count = frame.samples.count
        let found = frame.payload.map { decode($0).count } ?? 0
        if found < count { scratch.samples[found..<count].update(repeating: 0) }
        sound.samples = scratch.prefix(count)
        return sound
    }
}
