import NIOCore
import RTCStack
import RTP

/// The first datagrams of anybody who found the port of a browser leg: STUN, DTLS, and what looks like SRTP (RFC 8445, 6347, 7983).
enum PeerTarget: FuzzTarget {
    private static let certificate: DTLSCertificate = {
        do { return try DTLSCertificate() } catch { fatalError("no certificate: \(error)") }
    }()

    static var seeds: [[UInt8]] {
        let check: [UInt8] = [0, 1, 0, 24, 0x21, 0x12, 0xA4, 0x42] + [UInt8](1...12) + [0, 6, 0, 9] + Array("gate:brow".utf8) + [0, 0, 0, 0, 0x24, 0, 4, 1, 2, 3, 4]
        let hello: [UInt8] = [22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 44, 1, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0, 32, 0xFE, 0xFD] + [UInt8](repeating: 4, count: 32)
        return [[0] + FuzzInput.piece(check), [1] + FuzzInput.piece(hello), [2] + FuzzInput.piece(hello) + FuzzInput.piece(check) + FuzzInput.piece([0x80, 111, 0, 1])]
    }

    static func run(_ input: FuzzInput) {
        var input = input
        let choice = input.byte()
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        let session = PeerSession(
            PeerSession.Configuration(
                certificate: certificate, localUfrag: "gate", localPassword: "gatewaypasswordgateway12", remoteUfrag: "brow",
                remotePassword: "browserpasswordbrowser12", remoteFingerprints: [certificate.fingerprint],
                dtlsRole: choice.isMultiple(of: 2) ? .passive : .active), now: now)
        var out: [PeerOutput] = []
        while !input.isEmpty {
            var datagram = input.piece()
            datagram.withUnsafeBytes { bytes in
                if let message = STUNMessage(bytes) { _ = (message.isAuthentic(password: [1, 2, 3]), message.xorMappedAddress) }
                _ = (STUNMessage.username(of: bytes), STUNMessage.localUfrag(of: bytes))
            }
            let source = TransportAddress(ipv4: 0xC000_0200 + UInt32(choice >> 6), port: 4000)
            datagram.withUnsafeMutableBytes { session.receive($0, from: source, now: now, into: &out) }
            now = now + .milliseconds(100)
            session.expire(now: now, into: &out)
            out.removeAll(keepingCapacity: true)
        }
        require(!session.isConnected, "connected without a handshake")
    }
}
