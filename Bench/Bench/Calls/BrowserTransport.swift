import NIOCore
import RTCStack
import RTP
import TestKit

/// A browser's: ICE, DTLS and SRTP by the browser of the tests.
final class BrowserTransport: LoadTransport {
    private(set) var failure: String?
    private let socket: LoadSocket
    private let certificate: DTLSCertificate
    private let credentials: ICECredentials
    private let seed: UInt64
    /// From the answer on. What comes before it waits in the socket.
    private var browser: FakeBrowserTransport?

    init(certificate: DTLSCertificate, seed: UInt64) throws {
        self.certificate = certificate
        self.seed = seed
        socket = try LoadSocket()
        credentials = ICECredentials(ufrag: "load\(seed)", password: "thepasswordofthebrowser\(seed)")
    }

    var isReady: Bool { browser?.isConnected ?? false }

    /// An offer as Chrome makes it, of Opus.
    var offer: String {
        let port = socket.port
        return """
            v=0\r\no=- \(seed + 1) 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=msid-semantic: WMS load\r\n\
            m=audio \(port) UDP/TLS/RTP/SAVPF \(CallSound.opusPayloadType)\r\nc=IN IP4 127.0.0.1\r\na=rtcp:\(port) IN IP4 127.0.0.1\r\n\
            a=candidate:1 1 udp 2130706431 127.0.0.1 \(port) typ host generation 0\r\n\
            a=ice-ufrag:\(credentials.ufrag)\r\na=ice-pwd:\(credentials.password)\r\n\
            a=fingerprint:\(certificate.fingerprint.hash) \(certificate.fingerprint.text)\r\na=setup:actpass\r\na=mid:0\r\na=sendrecv\r\n\
            a=msid:load audio\r\na=rtcp-mux\r\na=rtpmap:\(CallSound.opusPayloadType) opus/48000/2\r\n\
            a=fmtp:\(CallSound.opusPayloadType) minptime=10;useinbandfec=1\r\na=ptime:20\r\n
            """
    }

    func start(_ answer: RemoteDescription, now: NIODeadline) throws {
        guard let credentials = answer.credentials, !answer.fingerprints.isEmpty else {
            throw BenchFailure("the answer to the browser has no ICE or no fingerprint:\n\(answer.text)")
        }
        let browser = FakeBrowserTransport(
            .init(
                localAddresses: [Self.loopback(socket.port)], credentials: self.credentials, certificate: certificate,
                dtlsRole: answer.isDTLSActive ? .passive : .active), seed: seed)
        self.browser = browser
        perform { browser.start(remotes: [Self.loopback(answer.port)], remote: credentials, fingerprints: answer.fingerprints, now: now, into: &$0) }
    }

    func send(_ packet: [UInt8]) {
        perform { browser?.sendMedia(packet, into: &$0) }
    }

    func poll(now: NIODeadline, media: (_ packet: [UInt8], _ arrived: Int64) -> Void) {
        guard let browser else { return }
        withUnsafeTemporaryAllocation(byteCount: 2048, alignment: 8) { room in
            while let arrival = socket.receive(into: room) {
                let datagram = UnsafeRawBufferPointer(rebasing: room[..<arrival.length])
                if answerCheck(datagram, from: arrival.port) { continue }
                perform(media: { media($0, arrival.time) }) { browser.receive(Array(datagram), now: now, into: &$0) }
            }
        }
        if let deadline = browser.deadline, deadline <= now { perform { browser.expire(now: now, into: &$0) } }
    }

    /// Answers a check of a full ICE agent, which rtpengine is; the browser of the tests knows lite ones only.
    private func answerCheck(_ datagram: UnsafeRawBufferPointer, from port: UInt16) -> Bool {
        guard PacketKind(datagram) == .stun, let check = STUNMessage(datagram), check.messageClass == .request else { return false }
        let password = Array(credentials.password.utf8)
        guard check.isAuthentic(password: password) else { return true }
        let answer = withUnsafeTemporaryAllocation(byteCount: 256, alignment: 8) { storage in
            var writer = STUNWriter(storage, .success, transaction: check.transaction)
            writer.append(xorMappedAddress: Self.loopback(port))
            writer.appendIntegrity(password: password)
            writer.appendFingerprint()
            return Array(storage[..<writer.length])
        }
        socket.send(answer, to: port)
        return true
    }

    private func perform(media: ([UInt8]) -> Void = { _ in }, _ body: (inout [FakeBrowserTransport.Output]) -> Void) {
        var outputs: [FakeBrowserTransport.Output] = []
        body(&outputs)
        for output in outputs {
            switch output {
            case .send(let bytes, _, let remote): socket.send(bytes, to: remote.port)
            case .media(let packet): media(packet)
            case .fingerprintMismatch: failure = "the fingerprint is not the announced one"
            case .failed(let reason): failure = "DTLS failed: \(reason)"
            case .closed: failure = "the gateway closed DTLS"
            case .connected, .control: break
            }
        }
    }

    private static func loopback(_ port: UInt16) -> TransportAddress { TransportAddress(ipv4: 0x7F00_0001, port: port) }
}
