import CShims
import NIOCore
import RTP

/// One DTLS 1.2 connection for its SRTP keys (RFC 5764), on OpenSSL without its sockets and without its clock.
///
/// OpenSSL's own retransmission reads the system clock and is switched off. The engine keeps the datagrams of the last
/// flight and sends them again when its own deadline comes, and, after the handshake, when the peer repeats its flight.
public final class DTLSEngine {
    /// How long a flight waits for its answer at first; doubled each time.
    public static let firstInterval = TimeAmount.milliseconds(200)
    public static let longestInterval = TimeAmount.milliseconds(3200)
    /// A browser that has not finished by then never will.
    public static let patience = TimeAmount.seconds(15)
    /// The largest datagram of ours: passes every path with room for TURN's framing.
    public static let maximumDatagram = 1200
    /// A repeated flight of several datagrams is answered once.
    private static let repeatGuard = TimeAmount.milliseconds(20)

    private struct Flight {
        var interval = DTLSEngine.firstInterval
        var resendAt: NIODeadline
    }

    private enum State {
        case idle
        case handshaking(givenUpAt: NIODeadline, Flight?)
        case established(lastRepeat: NIODeadline)
        case over
    }

    public let role: DTLSRole
    private let certificate: DTLSCertificate
    private let connection: OpaquePointer?
    private var state = State.idle
    /// Numbers of the plaintext records, counted by us: see `number(_:)`.
    private var nextRecordNumber: UInt64 = 0

    /// - Parameter maximumDatagram: bytes; what is larger is fragmented
    public init(certificate: DTLSCertificate, role: DTLSRole, maximumDatagram: Int = DTLSEngine.maximumDatagram) {
        self.certificate = certificate
        self.role = role
        connection = tandem_dtls_new(certificate.context, role == .active ? 1 : 0, maximumDatagram)
    }

    deinit { tandem_dtls_free(connection) }

    public var isIdle: Bool { if case .idle = state { true } else { false } }

    public var isEstablished: Bool { if case .established = state { true } else { false } }

    public var deadline: NIODeadline? {
        guard case .handshaking(let givenUpAt, let flight) = state else { return nil }
        return flight.map { min($0.resendAt, givenUpAt) } ?? givenUpAt
    }

    /// Begins: as client with the ClientHello, as server by waiting for one. Nothing if it has begun before.
    public func start(now: NIODeadline, into out: inout [DTLSOutput]) {
        guard case .idle = state else { return }
        state = .handshaking(givenUpAt: now + Self.patience, nil)
        if role == .active { handshake([UnsafeRawBufferPointer(start: nil, count: 0)], now, &out) }
    }

    /// Takes datagrams of the peer, in the order given; begins if need be.
    public func receive(_ datagrams: [UnsafeRawBufferPointer], now: NIODeadline, into out: inout [DTLSOutput]) {
        if case .idle = state {
            start(now: now, into: &out)
            // What came before our ClientHello answers nothing, and dealing with it could replace the datagram just put out.
            if role == .active { return }
        }
        switch state {
        case .handshaking: handshake(datagrams, now, &out)
        case .established: for datagram in datagrams { receiveEstablished(datagram, now, &out) }
        case .idle, .over: break
        }
    }

    public func expire(now: NIODeadline, into out: inout [DTLSOutput]) {
        guard case .handshaking(let givenUpAt, var flight?) = state, now < givenUpAt else {
            if let deadline, deadline <= now { end(.failed(.timeout), &out) }
            return
        }
        guard flight.resendAt <= now else { return }
        flight.interval = min(flight.interval * 2, Self.longestInterval)
        flight.resendAt = now + flight.interval
        state = .handshaking(givenUpAt: givenUpAt, flight)
        send(last: tandem_dtls_count(connection), &out)
    }

    /// Says close_notify if there is a connection, and is over.
    public func close(into out: inout [DTLSOutput]) {
        if case .established = state {
            let before = tandem_dtls_written(connection)
            tandem_dtls_close(connection)
            send(last: tandem_dtls_written(connection) - before, &out)
        }
        state = .over
    }

    /// Whether the peer's certificate is the one SDP announced. Of several fingerprints those of the strongest hash
    /// count, and one of them must match; unknown hashes count as none.
    public func matches(_ fingerprints: [DTLSFingerprint]) -> Bool {
        guard let connection,
            let hash = DTLSFingerprint.hashesByStrength.first(where: { hash in fingerprints.contains { $0.hash == hash } })
        else { return false }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { digest in
            guard let base = digest.baseAddress else { return false }
            let length = tandem_dtls_peer_fingerprint(connection, hash, base)
            return length > 0 && fingerprints.contains { $0.hash == hash && $0.bytes.elementsEqual(digest[..<length]) }
        }
    }

    /// The SRTP keys; `nil` before the handshake is complete, or if no profile was agreed on.
    func keys() -> DTLSKeys? {
        guard case .established = state, let profile = SRTPProfile(dtlsNumber: tandem_dtls_profile(connection)) else { return nil }
        var material = [UInt8](repeating: 0, count: DTLSKeys.materialLength(profile))
        guard tandem_dtls_export(connection, &material, material.count) == 1 else { return nil }
        return DTLSKeys(profile: profile, material: material, role: role)
    }

    /// An SRTP context from the keys, as `keys()`.
    public func makeSRTPContext() -> SRTPContext? {
        keys().flatMap { SRTPContext(profile: $0.profile, sendKey: $0.send, receiveKey: $0.receive) }
    }

    // MARK: - Steps

    private func handshake(_ datagrams: [UnsafeRawBufferPointer], _ now: NIODeadline, _ out: inout [DTLSOutput]) {
        guard let connection, case .handshaking(let givenUpAt, _) = state else {
            end(.failed(.handshake("out of memory")), &out)
            return
        }
        tandem_dtls_begin(connection)
        let before = tandem_dtls_written(connection)
        var result = Int32(TANDEM_DTLS_WAITING)
        for datagram in datagrams where result == Int32(TANDEM_DTLS_WAITING) {
            let start = datagram.assumingMemoryBound(to: UInt8.self).baseAddress
            result = tandem_dtls_handshake(connection, start, datagram.count)
        }
        let written = tandem_dtls_written(connection) - before
        send(last: written, &out)
        switch Int(result) {
        case Int(TANDEM_DTLS_WAITING):
            if written > 0 { state = .handshaking(givenUpAt: givenUpAt, Flight(resendAt: now + Self.firstInterval)) }
        case Int(TANDEM_DTLS_FINISHED):
            state = .established(lastRepeat: now)
            guard SRTPProfile(dtlsNumber: tandem_dtls_profile(connection)) != nil else {
                end(.failed(.handshake("no SRTP profile in common")), &out)
                return
            }
            out.append(.established)
        case Int(TANDEM_DTLS_CLOSED):
            end(.closed, &out)
        default:
            end(.failed(.handshake(lastOpenSSLError())), &out)
        }
    }

    private func receiveEstablished(_ datagram: UnsafeRawBufferPointer, _ now: NIODeadline, _ out: inout [DTLSOutput]) {
        guard let kind = datagram.first, case .established(let lastRepeat) = state else { return }
        switch kind {
        case Self.changeCipherSpec, Self.handshakeRecord:
            // The peer repeats its last flight, hence it lacks ours, which was the very last one if we are the server.
            // OpenSSL must not see it: a client that resends byte for byte is dropped there as a replay.
            guard role == .passive, now >= lastRepeat + Self.repeatGuard else { return }
            state = .established(lastRepeat: now)
            send(last: tandem_dtls_count(connection), &out)
        default:
            let start = datagram.assumingMemoryBound(to: UInt8.self).baseAddress
            let before = tandem_dtls_written(connection)
            let result = tandem_dtls_read(connection, start, datagram.count)
            send(last: tandem_dtls_written(connection) - before, &out)
            if result == Int32(TANDEM_DTLS_CLOSED) { end(.closed, &out) }
            if result == Int32(TANDEM_DTLS_FAILED) { end(.failed(.handshake(lastOpenSSLError())), &out) }
        }
    }

    private func end(_ output: DTLSOutput, _ out: inout [DTLSOutput]) {
        state = .over
        out.append(output)
    }

    /// Sends the newest `count` of the datagrams kept.
    private func send(last count: Int, _ out: inout [DTLSOutput]) {
        let kept = tandem_dtls_count(connection)
        for index in (kept - min(count, kept))..<kept {
            var length = 0
            guard let bytes = tandem_dtls_datagram(connection, index, &length) else { continue }
            let datagram = UnsafeMutableRawBufferPointer(start: bytes, count: length)
            number(datagram)
            out.append(.send(UnsafeRawBufferPointer(datagram)))
        }
    }

    // MARK: - Record numbers

    private static let changeCipherSpec: UInt8 = 20
    private static let handshakeRecord: UInt8 = 22
    private static let recordHeaderLength = 13

    /// Gives the plaintext records (epoch 0) of a datagram fresh numbers, as RFC 6347 section 4.2.4 has it for what is
    /// sent again. OpenSSL, on the peer's side, marks a ChangeCipherSpec that came too early as seen and drops it; with
    /// the same number the repetition would be dropped too, for ever. Nothing in epoch 0 is authenticated.
    private func number(_ datagram: UnsafeMutableRawBufferPointer) {
        var offset = 0
        let view = UnsafeRawBufferPointer(datagram)
        while offset + Self.recordHeaderLength <= datagram.count {
            if view.number16(offset + 3) == 0 {
                // The epoch's 16 bits, which stay 0, and the number's 48.
                datagram.storeBytes(of: nextRecordNumber.bigEndian, toByteOffset: offset + 3, as: UInt64.self)
                nextRecordNumber += 1
            }
            offset += Self.recordHeaderLength + Int(view.number16(offset + 11))
        }
    }
}
