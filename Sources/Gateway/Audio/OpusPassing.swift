/// How Opus goes on toward a far end that can take it as it came.
enum OpusPassing: Sendable {
    /// It takes samples.
    case off
    /// Its packets, untouched; nothing is decoded.
    case packets
    /// Its packets, untouched, with the sound beside them for whoever listens on the way (a recording).
    case decodedPackets

    /// The same with the sound beside it, where anything is passed on at all.
    var decoded: OpusPassing { self == .off ? .off : .decodedPackets }
}
