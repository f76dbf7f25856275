import NIOCore
import RTCStack
import RTP
import TestKit
import Testing

/// 20,000 damaged copies of every kind of datagram that a call brings: counted, answered or dropped, never a trap.
@Suite struct PeerSessionMutationTests {
    private static let count = 20_000

    /// Flips, cuts, grows, swaps lengths: what a fuzzer does, from a seed.
    private static func mutate(_ original: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            if bytes.isEmpty { return bytes }
            let index = Int.random(in: bytes.indices, using: &generator)
            switch Int.random(in: 0..<7, using: &generator) {
            case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: bytes[index] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &generator) ?? 0
            case 2: bytes = Array(bytes[..<index])
            case 3: bytes += (0..<Int.random(in: 1...64, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            case 4: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
            case 5: bytes.removeSubrange(index..<min(bytes.count, index + Int.random(in: 1...8, using: &generator)))
            default: bytes[index] = UInt8.random(in: 0...255, using: &generator)
            }
        }
        return bytes
    }

    private func captured(_ role: DTLSRole) -> [PeerPair.Datagram] {
        let pair = PeerPair(.init(sessionRole: role))
        #expect(pair.connect())
        pair.browserDoes { pair.browser.sendMedia(PeerPair.packet(1), into: &$0) }
        pair.browserDoes { pair.browser.sendControl(PeerPair.report, into: &$0) }
        pair.browserDoes { pair.browser.close(into: &$0) }
        return pair.sent
    }

    /// Everything but the handshake, at one session that lives through all of it.
    @Test func liveSession() {
        var generator = SeededGenerator(seed: 42)
        for original in captured(.passive) where original.kind != .dtls {
            let pair = PeerPair()
            #expect(pair.connect())
            for _ in 0..<Self.count {
                pair.deliver(.init(bytes: Self.mutate(original.bytes, &generator), from: original.from, to: original.to))
            }
            pair.browserDoes { pair.browser.sendMedia(PeerPair.packet(500), into: &$0) }
            pair.run(for: .milliseconds(20))
            #expect(pair.media.last == PeerPair.packet(500), "the session is damaged by \(original.kind)")
            #expect(pair.media.count == 1)
        }
    }

    /// The handshake, at sessions in the state in which each of its datagrams is awaited, and at connected ones.
    @Test(arguments: [DTLSRole.passive, .active])
    func handshake(_ role: DTLSRole) {
        var generator = SeededGenerator(seed: 43)
        let datagrams = captured(role)
        for original in datagrams where original.kind == .dtls {
            var session = waiting(role)
            for _ in 0..<Self.count {
                if session.deadline == nil { session = waiting(role) }
                var bytes = Self.mutate(original.bytes, &generator)
                var out: [PeerOutput] = []
                bytes.withUnsafeMutableBytes { session.receive($0, from: original.from, now: Self.start, into: &out) }
                #expect(!session.isConnected)
            }
        }
        let connected = PeerPair(.init(sessionRole: role))
        #expect(connected.connect())
        for original in datagrams where original.kind == .dtls && original.to == connected.gatewayAddress {
            for _ in 0..<Self.count {
                connected.deliver(.init(bytes: Self.mutate(original.bytes, &generator), from: original.from, to: original.to))
            }
        }
        #expect(connected.session.isConnected, "\(connected.events)")
    }

    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    /// A session with one check answered: as client it has sent its ClientHello, as server it waits for one.
    private func waiting(_ role: DTLSRole) -> PeerSession {
        let session = PeerSession(
            .init(
                certificate: PeerPair.gatewayCertificate, localUfrag: "gateway1", localPassword: "gatewaypasswordgateway12",
                remoteFingerprints: [PeerPair.browserCertificate.fingerprint], dtlsRole: role), now: Self.start)
        var out: [PeerOutput] = []
        var check = Self.check
        check.withUnsafeMutableBytes { session.receive($0, from: PeerPair.address(100), now: Self.start, into: &out) }
        return session
    }

    private static let check: [UInt8] = {
        var client = FakeICEClient(credentials: ICECredentials(ufrag: "brow", password: "p"), seed: 1)
        client.start(
            locals: [PeerPair.address(100)], remotes: [PeerPair.address(1)],
            remote: ICECredentials(ufrag: "gateway1", password: "gatewaypasswordgateway12"), now: start)
        return client.expire(now: start).first?.bytes ?? []
    }()
}
