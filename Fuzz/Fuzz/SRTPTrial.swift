import RTP
import TestKit

/// Ours and libsrtp2 as the same end of one session, and the peer of both.
final class SRTPTrial {
    private let ours: SRTPContext
    private let reference: SRTPReference
    private let peer: SRTPContext
    /// What the peer sent.
    private var kept: [(bytes: [UInt8], isControl: Bool)] = []

    init?(_ profile: SRTPProfile) {
        let keys = [UInt8(1), 2].map { first in (0..<profile.keyLength + profile.saltLength).map { UInt8($0) &* 7 &+ first } }
        guard let ours = SRTPContext(profile: profile, sendKey: keys[0], receiveKey: keys[1]),
            let reference = SRTPReference(profile: profile, sendKey: keys[0], receiveKey: keys[1]),
            let peer = SRTPContext(profile: profile, sendKey: keys[1], receiveKey: keys[0])
        else { return nil }
        (self.ours, self.reference, self.peer) = (ours, reference, peer)
    }

    /// A packet of the peer, received by both.
    func send(stream: UInt8, sequence: UInt16, contributors: UInt8, count: Int) {
        let sources = contributors % 16
        let header: [UInt8] = [0x80 | sources, 96, UInt8(sequence >> 8), UInt8(truncatingIfNeeded: sequence), 0, 0, 0, 1, 0, 0, 0, stream % 6]
        send(header + [UInt8](repeating: 5, count: Int(sources) * 4 + count), isControl: false)
    }

    func sendControl(_ packet: [UInt8]) { send(packet, isControl: true) }

    private func send(_ packet: [UInt8], isControl: Bool) {
        guard let sealed = peer.seal(packet, isControl: isControl) else { return }
        kept.append((sealed, isControl))
        open(sealed, isControl: isControl)
    }

    /// The peer's last packet with one byte of it changed.
    func forge(at index: Int, with mask: UInt8) {
        guard var last = kept.last, !last.bytes.isEmpty else { return }
        last.bytes[index % last.bytes.count] ^= mask
        open(last.bytes, isControl: last.isControl)
    }

    /// One that came before, whole or without its end.
    func repeatPacket(_ index: Int, cutBy missing: Int) {
        guard !kept.isEmpty else { return }
        let packet = kept[index % kept.count]
        open(Array(packet.bytes.dropLast(missing)), isControl: packet.isControl)
    }

    func open(_ packet: [UInt8], isControl: Bool) {
        let opened = ours.open(packet, isControl: isControl)
        let expected = reference.open(packet, isControl: isControl)
        require(opened == expected, "\(packet) is opened to \(String(describing: opened)), by libsrtp2 to \(String(describing: expected))")
    }

    func seal(_ packet: [UInt8], isControl: Bool) {
        let sealed = ours.seal(packet, isControl: isControl)
        let expected = reference.seal(packet, isControl: isControl)
        require(sealed == expected, "\(packet) is sealed to \(String(describing: sealed)), by libsrtp2 to \(String(describing: expected))")
    }
}
