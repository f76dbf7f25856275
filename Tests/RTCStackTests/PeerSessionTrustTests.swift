import NIOCore
import RTCStack
import RTP
import TestKit
import Testing

/// Who may speak, and when: fingerprints, early handshakes, addresses without a check.
@Suite struct PeerSessionTrustTests {
    private static let wrong = DTLSFingerprint(hash: "sha-256", bytes: [UInt8](repeating: 0xAB, count: 32))

    /// The browser's certificate is not the one its offer announced: it believes itself connected and sends.
    @Test(arguments: [DTLSRole.passive, .active])
    func wrongCertificateOfBrowser(_ role: DTLSRole) {
        let pair = PeerPair(.init(sessionRole: role, announcedByBrowser: [Self.wrong]))
        pair.startBrowser()
        pair.run(for: .seconds(2)) { pair.browser.isConnected }
        #expect(pair.browser.isConnected)
        for number in UInt16(0)..<50 { pair.browserDoes { pair.browser.sendMedia(PeerPair.packet(number), into: &$0) } }
        pair.run(for: .seconds(2))
        #expect(pair.events.contains(.ended(.fingerprintMismatch)))
        #expect(pair.events.filter { if case .ended = $0 { true } else { false } }.count == 1)
        #expect(!pair.events.contains { if case .connected = $0 { true } else { false } })
        #expect(pair.media.isEmpty)
        #expect(pair.session.counters.media == 0 && pair.session.counters.forged == 0)
        #expect(!pair.sendFromGateway(PeerPair.packet(1)))
        #expect(pair.browserEvents.contains(.closed))
        #expect(pair.session.deadline == nil)
    }

    /// Ours is not the one the answer announced: the browser gives up, nothing is sent.
    @Test(arguments: [DTLSRole.passive, .active])
    func wrongCertificateOfGateway(_ role: DTLSRole) {
        let pair = PeerPair(.init(sessionRole: role, announcedByGateway: [Self.wrong]))
        pair.startBrowser()
        pair.run(for: .seconds(2))
        #expect(pair.browserEvents.contains(.fingerprintMismatch))
        #expect(!pair.browser.isConnected)
        pair.sendFromGateway(PeerPair.packet(1))
        pair.run(for: .milliseconds(20))
        #expect(pair.browserMedia.isEmpty)
    }

    @Test(arguments: ["sha-1", "SHA-224", "sha-256", "sha-384", "sha-512", "md5", "sha-999"])
    func hashFunctions(_ hash: String) {
        let known = DTLSFingerprint(hash: hash, bytes: [1, 2, 3])
        let pair = PeerPair(.init(announcedByBrowser: [known]))
        pair.startBrowser()
        pair.run(for: .seconds(2))
        #expect(pair.events.contains(.ended(.fingerprintMismatch)))
    }

    /// The strongest hash decides, whatever the weaker ones say; unknown ones are passed over; one certificate of many.
    @Test func severalFingerprints() {
        let right = PeerPair.browserCertificate.fingerprint
        let weak = DTLSFingerprint(hash: "sha-1", bytes: [UInt8](repeating: 1, count: 20))
        let unknown = DTLSFingerprint(hash: "sha-999", bytes: [1])
        let strongAndWrong = DTLSFingerprint(hash: "sha-512", bytes: [UInt8](repeating: 1, count: 64))
        #expect(PeerPair(.init(announcedByBrowser: [weak, unknown, Self.wrong, right])).connect())
        let pair = PeerPair(.init(announcedByBrowser: [right, strongAndWrong]))
        #expect(!pair.connect())
        #expect(pair.events.contains(.ended(.fingerprintMismatch)))
    }

    /// A ClientHello that overtakes the first check costs no retransmission.
    @Test func earlyClientHelloBeforeTheCheck() {
        let pair = PeerPair(.init(saysHelloEarly: true))
        var order: [PacketKind] = []
        pair.passes = { [unowned pair] datagram in
            if datagram.to == pair.gatewayAddress { order.append(datagram.kind) }
            return true
        }
        let start = pair.now
        #expect(pair.connect())
        #expect(order.first == .dtls)
        #expect(pair.now - start < .milliseconds(100))
        #expect(pair.session.counters.unvalidated == 0)
    }

    /// A ClientHello in two datagrams, as Chrome's with post-quantum key shares; early, or after the check.
    @Test(arguments: [true, false])
    func fragmentedClientHello(_ isEarly: Bool) {
        let pair = PeerPair(.init(saysHelloEarly: isEarly))
        var fragments: [PeerPair.Datagram] = []
        pair.passes = { datagram in
            guard datagram.kind == .dtls, fragments.isEmpty else { return true }
            fragments = fragment(datagram)
            return false
        }
        let start = pair.now
        pair.startBrowser()
        if !isEarly { pair.run(for: .milliseconds(100)) { !fragments.isEmpty } }
        #expect(fragments.count == 2)
        for fragment in fragments { pair.deliver(fragment) }
        #expect(pair.run(for: .seconds(1)) { pair.isConnected })
        #expect(pair.now - start < .milliseconds(100))
    }

    /// Splits the one handshake message of a datagram of one record into two (RFC 6347 section 4.2.3).
    private func fragment(_ datagram: PeerPair.Datagram) -> [PeerPair.Datagram] {
        let record = Array(datagram.bytes[..<11])
        let header = Array(datagram.bytes[13..<19])
        let body = Array(datagram.bytes[25...])
        let half = body.count / 2
        func number(_ value: Int, bytes: Int) -> [UInt8] { (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
        return [(0, body[..<half]), (half, body[half...])].enumerated().map { index, part in
            var numbered = record
            // A number that the browser's next records will not have: it would make them replays.
            numbered[10] = UInt8(index * 40)
            let message = header + number(part.0, bytes: 3) + number(part.1.count, bytes: 3) + part.1
            return .init(bytes: numbered + number(message.count, bytes: 2) + message, from: datagram.from, to: datagram.to)
        }
    }

    /// The handshake may finish before the browser's description is here, then nothing is decrypted until it is.
    @Test(arguments: [DTLSRole.passive, .active])
    func handshakeBeforeTheDescription(_ role: DTLSRole) {
        let pair = PeerPair(.init(sessionRole: role, remoteIsUnknown: true))
        pair.startBrowser()
        #expect(pair.run(for: .seconds(1)) { pair.browser.isConnected })
        pair.browserDoes { pair.browser.sendMedia(PeerPair.packet(1), into: &$0) }
        pair.run(for: .seconds(20))
        #expect(!pair.session.isConnected && pair.media.isEmpty)
        #expect(pair.session.counters.early == 1)
        #expect(pair.session.remote == nil)
        pair.sessionDoes {
            pair.session.setRemote(
                ufrag: "brow", password: "browserpasswordbrowser12", fingerprints: [PeerPair.browserCertificate.fingerprint],
                now: pair.now, into: &$0)
        }
        #expect(pair.session.isConnected)
        #expect(pair.session.remote?.ufrag == "brow")
        pair.browserDoes { pair.browser.sendMedia(PeerPair.packet(2), into: &$0) }
        pair.run(for: .milliseconds(20))
        #expect(pair.media == [PeerPair.packet(2)])
    }

    @Test func wrongDescriptionAfterTheHandshake() {
        let pair = PeerPair(.init(remoteIsUnknown: true))
        pair.startBrowser()
        #expect(pair.run(for: .seconds(1)) { pair.browser.isConnected })
        pair.sessionDoes {
            pair.session.setRemote(ufrag: "brow", password: "p", fingerprints: [Self.wrong], now: pair.now, into: &$0)
        }
        #expect(pair.events.last == .ended(.fingerprintMismatch))
    }

    /// A stranger's handshake is not answered, and what is kept of it is bounded.
    @Test func onlyValidatedAddressesSpeakDTLS() {
        let pair = PeerPair(.init(saysHelloEarly: true))
        pair.passes = { _ in false }
        pair.startBrowser()
        guard let hello = pair.sent.first(where: { $0.kind == .dtls }) else {
            Issue.record("no ClientHello")
            return
        }
        let before = pair.sent.count
        for port in 0..<20 {
            let stranger = PeerPair.address(UInt16(200 + port))
            pair.deliver(.init(bytes: hello.bytes, from: stranger, to: pair.gatewayAddress))
            #expect(!pair.session.isValidated(stranger))
        }
        #expect(pair.sent.count == before)
        #expect(pair.session.counters.unvalidated == 16)
        #expect(pair.session.counters.handshake == 0)
    }

    @Test func forgedAndReplayedMediaIsDropped() {
        let pair = PeerPair()
        #expect(pair.connect())
        pair.browserDoes { pair.browser.sendMedia(PeerPair.packet(1), into: &$0) }
        pair.run(for: .milliseconds(20))
        guard var packet = pair.sent.last(where: { $0.kind == .media }) else {
            Issue.record("no media")
            return
        }
        pair.deliver(packet)
        packet = .init(bytes: packet.bytes.dropLast() + [packet.bytes.last.map { $0 ^ 1 } ?? 0], from: packet.from, to: packet.to)
        pair.deliver(packet)
        #expect(pair.media.count == 1)
        #expect(pair.session.counters.forged == 2)
    }

    @Test func noProfileInCommon() {
        let onlyGCM = PeerPair.makeCertificate([.aeadAES128GCM])
        let onlyCM = PeerPair.makeCertificate([.aesCM128HMACSHA1_80])
        var out: [DTLSOutput] = []
        let client = DTLSEngine(certificate: onlyGCM, role: .active)
        let server = DTLSEngine(certificate: onlyCM, role: .passive)
        let ends = DTLSEnds(client: client, server: server)
        ends.run()
        out = ends.clientOutputs + ends.serverOutputs
        #expect(!out.contains { if case .established = $0 { true } else { false } })
        #expect(out.contains { if case .failed(.handshake) = $0 { true } else { false } })
    }
}

extension PeerSessionTrustTests {
    /// What is put out may be used until the next call, so a ClientHello is all that comes of a datagram before it.
    @Test func aDatagramBeforeTheClientHelloChangesNothingOfIt() {
        let certificate = PeerPair.makeCertificate(SRTPProfile.allCases)
        let client = DTLSEngine(certificate: certificate, role: .active)
        var first: [DTLSOutput] = []
        // A fatal alert: dealt with, it would end the connection.
        let alert: [UInt8] = [21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 40]
        alert.withUnsafeBytes { client.receive([$0], now: .uptimeNanoseconds(1), into: &first) }
        guard case .send(let hello)? = first.first, first.count == 1 else {
            Issue.record("no ClientHello alone: \(first)")
            return
        }
        var answer: [DTLSOutput] = []
        DTLSEngine(certificate: certificate, role: .passive).receive([hello], now: .uptimeNanoseconds(1), into: &answer)
        #expect(answer.contains { if case .send = $0 { true } else { false } } && !client.isIdle && client.deadline != nil)
    }
}

/// Two engines with a perfect wire between them and no time passing.
final class DTLSEnds {
    let client: DTLSEngine
    let server: DTLSEngine
    private(set) var clientOutputs: [DTLSOutput] = []
    private(set) var serverOutputs: [DTLSOutput] = []

    init(client: DTLSEngine, server: DTLSEngine) {
        self.client = client
        self.server = server
    }

    func run() {
        let now = NIODeadline.uptimeNanoseconds(1)
        var pending: [(bytes: [UInt8], toServer: Bool)] = []
        var out: [DTLSOutput] = []
        client.start(now: now, into: &out)
        collect(out, fromClient: true, &pending)
        while !pending.isEmpty {
            let next = pending.removeFirst()
            out = []
            next.bytes.withUnsafeBytes { (next.toServer ? server : client).receive([$0], now: now, into: &out) }
            collect(out, fromClient: !next.toServer, &pending)
        }
    }

    private func collect(_ out: [DTLSOutput], fromClient: Bool, _ pending: inout [(bytes: [UInt8], toServer: Bool)]) {
        for output in out {
            if case .send(let bytes) = output {
                pending.append((Array(bytes), fromClient))
            } else if fromClient {
                clientOutputs.append(output)
            } else {
                serverOutputs.append(output)
            }
        }
    }
}
