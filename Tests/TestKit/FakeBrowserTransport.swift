import NIOCore
import RTCStack
import RTP

/// The transport half of a browser: controlling ICE, DTLS in either role, SRTP. An engine like ours, on the test's clock.
///
///     let browser = FakeBrowserTransport(.init(…), seed: 1)
///     browser.start(remotes: [gateway], remote: credentials, fingerprints: […], now: now, into: &out)
public final class FakeBrowserTransport {
    public struct Configuration {
        /// One for each interface the browser has.
        public var localAddresses: [TransportAddress]
        public var credentials: ICECredentials
        public var certificate: DTLSCertificate
        public var dtlsRole: DTLSRole
        public var maximumHandshakeDatagram = DTLSEngine.maximumDatagram
        /// Sends the ClientHello before any check was answered, as rtpengine does.
        public var saysHelloEarly = false

        public init(
            localAddresses: [TransportAddress], credentials: ICECredentials, certificate: DTLSCertificate, dtlsRole: DTLSRole
        ) {
            self.localAddresses = localAddresses
            self.credentials = credentials
            self.certificate = certificate
            self.dtlsRole = dtlsRole
        }
    }

    public enum Output: Equatable {
        case send([UInt8], from: TransportAddress, to: TransportAddress)
        case connected(SRTPProfile)
        case media([UInt8])
        case control([UInt8])
        /// The gateway's certificate is not the one its answer announced.
        case fingerprintMismatch
        case failed(DTLSFailure)
        /// The gateway said close_notify.
        case closed
    }

    public let configuration: Configuration
    public var ice: FakeICEClient
    /// SRTP that could not be decrypted.
    public private(set) var undecryptable = 0
    public private(set) var srtp: SRTPContext?
    private let dtls: DTLSEngine
    private var fingerprints: [DTLSFingerprint] = []
    private var remotes: [TransportAddress] = []
    private var isOver = false

    public init(_ configuration: Configuration, seed: UInt64) {
        self.configuration = configuration
        ice = FakeICEClient(credentials: configuration.credentials, seed: seed)
        dtls = DTLSEngine(
            certificate: configuration.certificate, role: configuration.dtlsRole,
            maximumDatagram: configuration.maximumHandshakeDatagram)
    }

    public var isConnected: Bool { srtp != nil }

    public var deadline: NIODeadline? {
        if isOver { return nil }
        return [ice.deadline, dtls.deadline].compactMap { $0 }.min()
    }

    /// Begins with what the gateway's answer says.
    public func start(
        remotes: [TransportAddress], remote: ICECredentials, fingerprints: [DTLSFingerprint], now: NIODeadline,
        into out: inout [Output]
    ) {
        self.remotes = remotes
        self.fingerprints = fingerprints
        ice.start(locals: configuration.localAddresses, remotes: remotes, remote: remote, now: now)
        if configuration.saysHelloEarly { step(&out) { dtls.start(now: now, into: &$0) } }
        expire(now: now, into: &out)
    }

    /// New credentials on both sides, perhaps from other interfaces.
    public func restartICE(
        credentials: ICECredentials, locals: [TransportAddress]? = nil, remote: ICECredentials, now: NIODeadline,
        into out: inout [Output]
    ) {
        ice.credentials = credentials
        ice.start(locals: locals ?? configuration.localAddresses, remotes: remotes, remote: remote, now: now)
        expire(now: now, into: &out)
    }

    public func receive(_ datagram: [UInt8], now: NIODeadline, into out: inout [Output]) {
        if isOver { return }
        var datagram = datagram
        switch datagram.withUnsafeBytes({ PacketKind($0) }) {
        case .stun:
            datagram.withUnsafeBytes { bytes in
                if let message = STUNMessage(bytes) { ice.receive(message, now: now) }
            }
            if ice.isNominated, configuration.dtlsRole == .active, dtls.isIdle { step(&out) { dtls.start(now: now, into: &$0) } }
            expire(now: now, into: &out)
        case .dtls:
            datagram.withUnsafeBytes { bytes in step(&out) { dtls.receive([bytes], now: now, into: &$0) } }
        case .media: decrypt(&datagram, isControl: false, &out)
        case .control: decrypt(&datagram, isControl: true, &out)
        case .unknown: undecryptable += 1
        }
    }

    public func expire(now: NIODeadline, into out: inout [Output]) {
        if isOver { return }
        for check in ice.expire(now: now) { out.append(.send(check.bytes, from: check.local, to: check.remote)) }
        step(&out) { dtls.expire(now: now, into: &$0) }
    }

    /// Encrypts and sends an RTP packet on the pair in use; nothing while there are no keys.
    public func sendMedia(_ packet: [UInt8], into out: inout [Output]) { send(packet, isControl: false, &out) }

    /// The same for RTCP.
    public func sendControl(_ packet: [UInt8], into out: inout [Output]) { send(packet, isControl: true, &out) }

    /// close_notify, as `RTCPeerConnection.close()`.
    public func close(into out: inout [Output]) {
        step(&out) { dtls.close(into: &$0) }
        isOver = true
    }

    private func send(_ packet: [UInt8], isControl: Bool, _ out: inout [Output]) {
        guard let srtp, let pair = ice.selectedPair else { return }
        var bytes = packet + [UInt8](repeating: 0, count: 32)
        let length = bytes.withUnsafeMutableBytes { buffer -> Int? in
            guard let base = buffer.baseAddress else { return nil }
            return isControl
                ? srtp.protectControl(base, length: packet.count, capacity: buffer.count)
                : srtp.protect(base, length: packet.count, capacity: buffer.count)
        }
        if let length { out.append(.send(Array(bytes[..<length]), from: pair.local, to: pair.remote)) }
    }

    private func decrypt(_ packet: inout [UInt8], isControl: Bool, _ out: inout [Output]) {
        let length = packet.withUnsafeMutableBytes { buffer -> Int? in
            guard let srtp, let base = buffer.baseAddress else { return nil }
            return isControl ? srtp.unprotectControl(base, length: buffer.count) : srtp.unprotect(base, length: buffer.count)
        }
        guard let length else {
            undecryptable += 1
            return
        }
        let plain = Array(packet[..<length])
        out.append(isControl ? .control(plain) : .media(plain))
    }

    /// Runs DTLS, and hands on what it says.
    private func step(_ out: inout [Output], _ body: (inout [DTLSOutput]) -> Void) {
        var outputs: [DTLSOutput] = []
        body(&outputs)
        for output in outputs {
            switch output {
            case .send(let bytes):
                // Before a pair answers, the first one there is: an early ClientHello.
                let pair = ice.selectedPair ?? zip(configuration.localAddresses, remotes).first { _ in true }
                if let pair { out.append(.send(Array(bytes), from: pair.0, to: pair.1)) }
            case .established:
                guard dtls.matches(fingerprints) else {
                    isOver = true
                    out.append(.fingerprintMismatch)
                    return
                }
                srtp = dtls.makeSRTPContext()
                if let srtp { out.append(.connected(srtp.profile)) }
            case .failed(let failure):
                isOver = true
                out.append(.failed(failure))
            case .closed:
                isOver = true
                out.append(.closed)
            }
        }
    }
}
