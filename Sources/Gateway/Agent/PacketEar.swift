import Transcode

/// Hears speech in the packets of a caller that are passed on undecoded: decodes them, at a rate that is enough for that.
final class PacketEar {
    private let sound: PacketSound

    /// Hertz.
    static let rate = 16_000

    init?() {
        guard let sound = PacketSound(rate: Self.rate) else { return nil }
        self.sound = sound
    }

    func hear(_ packet: CallerPacket) -> UnsafeBufferPointer<Int16> { UnsafeBufferPointer(sound.decode(packet.payload)) }
}
