import NIOCore
import RTP

/// One browser's transport: ICE-lite, DTLS and SRTP over the datagrams of one or more of its addresses.
///
/// An engine: confined to the loop that owns the call, no sockets, no clock. Every call appends what follows from it to
/// the caller's list. After `.ended`, or `close`, all calls do nothing. In the steady state `receive` and `protect`
/// allocate nothing.
public final class PeerSession {
    /// Enough for any answer to a check.
    private static let answerCapacity = 256

    private var ice: ICEAgent
    private let dtls: DTLSEngine
    private var fingerprints: [DTLSFingerprint]
    private var liveness: Liveness
    /// Set once the certificate is the one announced, not before.
    private var srtp: SRTPContext?
    private var early = EarlyDatagrams()
    /// Where the peer's handshake came from last, for answers before a pair is nominated.
    private var handshakeSource: TransportAddress?
    private let answer: UnsafeMutableRawBufferPointer
    private var dtlsOutputs: [DTLSOutput] = []
    private var isOver = false

    /// The browser's credentials as far as they are known. A lite agent sends no checks, so they serve to tell a restart
    /// from a repetition.
    public private(set) var remote: ICECredentials?
    public private(set) var counters = PeerCounters()
    /// Media may flow: `.connected` was said and no end since.
    public private(set) var isConnected = false

    /// - Parameter now: silence is counted from here
    public init(_ configuration: Configuration, now: NIODeadline) {
        ice = ICEAgent(local: ICECredentials(ufrag: configuration.localUfrag, password: configuration.localPassword))
        dtls = DTLSEngine(
            certificate: configuration.certificate, role: configuration.dtlsRole,
            maximumDatagram: configuration.maximumHandshakeDatagram)
        if let ufrag = configuration.remoteUfrag, let password = configuration.remotePassword {
            remote = ICECredentials(ufrag: ufrag, password: password)
        }
        fingerprints = configuration.remoteFingerprints
        liveness = Liveness(now: now)
        answer = .allocate(byteCount: Self.answerCapacity, alignment: 8)
    }

    deinit { answer.deallocate() }

    /// Where what we send goes; `nil` before a pair is nominated.
    public var selectedAddress: TransportAddress? { ice.selectedAddress }

    /// The ICE user names of ours that count.
    public var localUfrags: [String] { ice.localUfrags }

    /// Whether an authenticated check came from this address: from then on its datagrams belong to this session.
    public func isValidated(_ address: TransportAddress) -> Bool { ice.isValidated(address) }

    /// When `expire` must be called, at the latest.
    public var deadline: NIODeadline? {
        if isOver { return nil }
        return dtls.deadline.map { min($0, liveness.deadline) } ?? liveness.deadline
    }

    // MARK: - Network

    /// Takes one datagram. SRTP is decrypted in place.
    public func receive(
        _ datagram: UnsafeMutableRawBufferPointer, from source: TransportAddress, now: NIODeadline, into out: inout [PeerOutput]
    ) {
        if isOver { return }
        switch PacketKind(UnsafeRawBufferPointer(datagram)) {
        case .media: receiveMedia(datagram, isControl: false, now, &out)
        case .control: receiveMedia(datagram, isControl: true, now, &out)
        case .stun: receiveCheck(UnsafeRawBufferPointer(datagram), source, now, &out)
        case .dtls: receiveHandshake(UnsafeRawBufferPointer(datagram), source, now, &out)
        case .unknown: counters.malformed += 1
        }
    }

    public func expire(now: NIODeadline, into out: inout [PeerOutput]) {
        if isOver { return }
        switch liveness.expire(now: now) {
        case .over:
            end(.timeout, &out)
            return
        case .away: out.append(.away)
        case .none: break
        }
        dtls.expire(now: now, into: &dtlsOutputs)
        advance(&out)
    }

    private func receiveMedia(
        _ packet: UnsafeMutableRawBufferPointer, isControl: Bool, _ now: NIODeadline, _ out: inout [PeerOutput]
    ) {
        guard isConnected, let srtp, let bytes = packet.baseAddress else {
            counters.early += 1
            return
        }
        let length =
            isControl ? srtp.unprotectControl(bytes, length: packet.count) : srtp.unprotect(bytes, length: packet.count)
        guard let length else {
            counters.forged += 1
            return
        }
        heard(now, &out)
        let plain = UnsafeMutableRawBufferPointer(start: bytes, count: length)
        if isControl {
            counters.control += 1
            out.append(.control(plain))
        } else {
            counters.media += 1
            out.append(.media(plain))
        }
    }

    private func receiveCheck(
        _ datagram: UnsafeRawBufferPointer, _ source: TransportAddress, _ now: NIODeadline, _ out: inout [PeerOutput]
    ) {
        guard let message = STUNMessage(datagram) else {
            counters.malformed += 1
            return
        }
        let result = ice.receive(message, from: source, now: now, answer: answer)
        if result.isRefused { counters.checksRefused += 1 } else { counters.checks += 1 }
        if result.answerLength > 0 {
            out.append(.send(UnsafeRawBufferPointer(rebasing: answer[..<result.answerLength]), to: source))
        }
        if result.isAuthentic { heard(now, &out) }
        if result.selectionChanged { out.append(.selected(source)) }
        if result.isNewAddress {
            let kept = early.take(from: source)
            if kept.isEmpty {
                // Now somebody is there to whom a ClientHello of ours can go, or whose own is awaited from here on.
                dtls.start(now: now, into: &dtlsOutputs)
            } else {
                handshakeSource = source
                counters.handshake += UInt64(kept.count)
                feed(kept, now)
            }
        }
        advance(&out)
    }

    /// Only a validated address may speak DTLS.
    private func receiveHandshake(
        _ datagram: UnsafeRawBufferPointer, _ source: TransportAddress, _ now: NIODeadline, _ out: inout [PeerOutput]
    ) {
        guard ice.isValidated(source) else {
            if dtls.isEstablished || !early.keep(datagram, from: source) { counters.unvalidated += 1 }
            return
        }
        counters.handshake += 1
        handshakeSource = source
        dtls.receive([datagram], now: now, into: &dtlsOutputs)
        advance(&out)
    }

    private func feed(_ kept: [[UInt8]], _ now: NIODeadline) {
        // One block for all, as the engine wants them in one call: their answers are one flight.
        let joined = kept.flatMap { $0 }
        joined.withUnsafeBytes { bytes in
            var start = 0
            let datagrams = kept.map { datagram in
                defer { start += datagram.count }
                return UnsafeRawBufferPointer(rebasing: bytes[start..<(start + datagram.count)])
            }
            dtls.receive(datagrams, now: now, into: &dtlsOutputs)
        }
    }

    private func heard(_ now: NIODeadline, _ out: inout [PeerOutput]) {
        if liveness.heard(now: now) { out.append(.back) }
    }

    // MARK: - Signalling

    /// The browser's description came.
    public func setRemote(
        ufrag: String, password: String, fingerprints: [DTLSFingerprint], now: NIODeadline, into out: inout [PeerOutput]
    ) {
        if isOver { return }
        remote = ICECredentials(ufrag: ufrag, password: password)
        self.fingerprints = fingerprints
        advance(&out)
    }

    /// Both sides take new credentials. Media goes on over the old pair, and old checks are answered, until the first check
    /// with the new ones; DTLS and the SRTP keys stay.
    public func restartICE(
        localUfrag: String, localPassword: String, remoteUfrag: String, remotePassword: String, now: NIODeadline,
        into out: inout [PeerOutput]
    ) {
        if isOver { return }
        ice.restart(local: ICECredentials(ufrag: localUfrag, password: localPassword))
        remote = ICECredentials(ufrag: remoteUfrag, password: remotePassword)
    }

    /// Tells the browser by DTLS close_notify, and is over. Appends no `.ended`: the caller knows.
    public func close(now: NIODeadline, into out: inout [PeerOutput]) {
        if isOver { return }
        dtls.close(into: &dtlsOutputs)
        flush(&out)
        finish()
    }

    // MARK: - Sending

    /// Encrypts an RTP packet in place.
    /// - Parameter capacity: bytes that may be written at `packet`: 32 more than `length`
    /// - Returns: the new length; `nil` while not connected, or when the packet cannot be protected
    public func protect(_ packet: UnsafeMutableRawPointer, length: Int, capacity: Int) -> Int? {
        guard isConnected, let srtp else { return nil }
        return srtp.protect(packet, length: length, capacity: capacity)
    }

    /// Encrypts an RTCP compound packet in place, as `protect`.
    public func protectControl(_ packet: UnsafeMutableRawPointer, length: Int, capacity: Int) -> Int? {
        guard isConnected, let srtp else { return nil }
        return srtp.protectControl(packet, length: length, capacity: capacity)
    }

    // MARK: - States

    /// Hands on what DTLS said, then goes as far as what is known allows.
    private func advance(_ out: inout [PeerOutput]) {
        if let end = flush(&out) {
            self.end(end, &out)
            return
        }
        // Who is at the other end is known by its fingerprint only: no key is made before it matched.
        if srtp == nil, dtls.isEstablished, !fingerprints.isEmpty {
            guard dtls.matches(fingerprints) else {
                dtls.close(into: &dtlsOutputs)
                flush(&out)
                end(.fingerprintMismatch, &out)
                return
            }
            guard let context = dtls.makeSRTPContext() else {
                end(.handshakeFailed(reason: "no SRTP keys"), &out)
                return
            }
            srtp = context
            early.removeAll()
        }
        if !isConnected, let srtp, ice.selectedAddress != nil {
            isConnected = true
            out.append(.connected(srtp.profile))
        }
    }

    /// Turns DTLS's outputs into ours; the end they mean, if any.
    @discardableResult
    private func flush(_ out: inout [PeerOutput]) -> PeerEnd? {
        if dtlsOutputs.isEmpty { return nil }
        var end: PeerEnd?
        for output in dtlsOutputs {
            switch output {
            case .send(let bytes):
                guard let address = ice.selectedAddress ?? handshakeSource ?? ice.latestAddress else { continue }
                out.append(.send(bytes, to: address))
            case .established: break
            case .failed(.handshake(let reason)): end = .handshakeFailed(reason: reason)
            case .failed(.timeout): end = .handshakeTimeout
            case .closed: end = .closedByPeer
            }
        }
        dtlsOutputs.removeAll(keepingCapacity: true)
        return end
    }

    private func end(_ reason: PeerEnd, _ out: inout [PeerOutput]) {
        finish()
        out.append(.ended(reason))
    }

    private func finish() {
        isOver = true
        isConnected = false
        srtp = nil
        early.removeAll()
    }
}
