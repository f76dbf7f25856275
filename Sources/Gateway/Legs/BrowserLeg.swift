import Logging
import NIOCore
import RTCStack
import RTP
import SDP
import Transcode

/// A browser: ICE-lite, DTLS-SRTP and Opus on the loop's shared socket.
final class BrowserLeg: Leg, MediaWire {
    /// Set once, directly after `init`: the port sends through this leg.
    private(set) var port: RTPAudioPort
    private let peer: PeerSession
    private let io: any MediaIO
    private unowned let table: LegTable
    private let logger: Logger
    private weak var events: (any LegEvents)?
    private var outputs: [PeerOutput] = []
    private var slot: UnsafeMutableRawBufferPointer?
    private var isOver = false
    private var sent: SentPackets?
    /// Kept by the table.
    var tableEntries = LegTable.Entries()

    /// Our description's identifier and version (RFC 8829 5.2.2).
    var descriptionID: UInt64 = 0
    var descriptionVersion: UInt64 = 1
    /// The media identification the browser gave its audio.
    let mid: String?
    /// The browser's ICE username fragment in force.
    private(set) var remoteUfrag: String
    /// Our ICE credentials in force; a restart changes them.
    private(set) var credentials: ICECredentials
    /// The role we took in the handshake, kept for later answers.
    let dtlsRole: BrowserDTLSRole

    init(
        offer: BrowserOffer, answer: BrowserAnswer, credentials: ICECredentials, environment: MediaEnvironment, table: LegTable,
        events: any LegEvents, cname: String, logger: Logger, port: (any MediaWire) -> RTPAudioPort, now: NIODeadline
    ) {
        self.credentials = credentials
        mid = offer.mid
        remoteUfrag = offer.iceUsernameFragment
        dtlsRole = answer.dtlsRole
        io = environment.io
        self.table = table
        self.events = events
        self.logger = logger
        peer = PeerSession(
            PeerSession.Configuration(
                certificate: environment.certificate, localUfrag: credentials.ufrag, localPassword: credentials.password,
                remoteUfrag: offer.iceUsernameFragment, remotePassword: offer.icePassword,
                remoteFingerprints: offer.fingerprints.map { DTLSFingerprint(hash: $0.hashName, bytes: $0.bytes) },
                dtlsRole: answer.dtlsRole == .active ? .active : .passive),
            now: now)
        let wire = DeferredWire()
        self.port = port(wire)
        deferred = wire
        wire.target = self
        outputs.reserveCapacity(8)
        table.register(self, ufrags: peer.localUfrags)
    }

    private let deferred: DeferredWire

    deinit { deferred.target = nil }

    // MARK: Leg

    var isReady: Bool { peer.isConnected }

    func tick(now: NIODeadline, wallClock: NTPTimestamp) { port.tick(now: now, wallClock: wallClock) }

    func expire(now: NIODeadline) {
        port.expire(now: now)
        perform(now: now, from: nil) { peer.expire(now: now, into: &$0) }
    }

    var deadline: NIODeadline? {
        guard !isOver else { return nil }
        return NIODeadline.earlier(port.deadline, peer.deadline)
    }

    func close(now: NIODeadline, wallClock: NTPTimestamp) {
        guard !isOver else { return }
        port.sendGoodbye(now: now, wallClock: wallClock)
        perform(now: now, from: nil) { peer.close(now: now, into: &$0) }
        isOver = true
        table.remove(self)
    }

    var figures: LegFigures {
        LegFigures(
            isBrowser: true, rtp: port.statistics, codec: port.audio.codec.sdpName,
            address: peer.selectedAddress.map { Redacted($0).description }, inbound: port.inboundCounters, forged: Int(peer.counters.forged),
            malformed: Int(peer.counters.malformed), gain: port.gainFigures)
    }

    // MARK: Network

    func receive(_ datagram: UnsafeMutableRawBufferPointer, from source: TransportAddress, now: NIODeadline) {
        perform(now: now, from: source) { peer.receive(datagram, from: source, now: now, into: &$0) }
    }

    /// Whether an address has shown to be this browser's by an authenticated check.
    func owns(_ source: TransportAddress) -> Bool { !isOver && peer.isValidated(source) }

    /// New ICE credentials on both sides; the old ones count until the browser uses the new.
    func restartICE(remote: ICECredentials, local: ICECredentials, now: NIODeadline) {
        credentials = local
        remoteUfrag = remote.ufrag
        perform(now: now, from: nil) {
            peer.restartICE(
                localUfrag: local.ufrag, localPassword: local.password, remoteUfrag: remote.ufrag, remotePassword: remote.password,
                now: now, into: &$0)
        }
        if !isOver { table.register(self, ufrags: peer.localUfrags) }
    }

    // MARK: MediaWire

    func packetBuffer() -> UnsafeMutableRawBufferPointer? {
        guard peer.isConnected, !isOver, peer.selectedAddress != nil else { return nil }
        slot = io.slot()
        return slot
    }

    func sendMedia(length: Int, now: NIODeadline) {
        guard let slot, let bytes = slot.baseAddress, let address = peer.selectedAddress,
            let protected = peer.protect(bytes, length: length, capacity: slot.count)
        else { return }
        if port.audio.feedback.retransmission { keep(UnsafeRawBufferPointer(start: bytes, count: protected)) }
        io.send(length: protected, on: .browser, to: address)
    }

    /// For a browser that may ask for it again.
    private func keep(_ packet: UnsafeRawBufferPointer) {
        let kept = sent ?? SentPackets()
        sent = kept
        kept.keep(packet)
    }

    func resend(_ sequence: UInt16) {
        guard let packet = sent?.packet(sequence), let address = peer.selectedAddress else { return }
        send(packet, to: address)
    }

    func sendControl(length: Int, now: NIODeadline) {
        guard let slot, let bytes = slot.baseAddress, let address = peer.selectedAddress,
            let protected = peer.protectControl(bytes, length: length, capacity: slot.count)
        else { return }
        io.send(length: protected, on: .browser, to: address)
    }

    // MARK: Inside

    private func perform(now: NIODeadline, from source: TransportAddress?, _ body: (inout [PeerOutput]) -> Void) {
        var list = outputs
        outputs = []
        body(&list)
        for output in list { handle(output, from: source, now: now) }
        list.removeAll(keepingCapacity: true)
        outputs = list
    }

    private func handle(_ output: PeerOutput, from source: TransportAddress?, now: NIODeadline) {
        switch output {
        case .send(let bytes, let address): send(bytes, to: address)
        case .media(let packet):
            guard let source else { return }
            port.receive(UnsafeRawBufferPointer(packet), from: source, now: now)
        case .control(let packet): port.receiveControl(UnsafeRawBufferPointer(packet), now: now)
        case .selected(let address): logger.debug("browser path selected", metadata: ["address": "\(Redacted(address))"])
        case .connected(let profile):
            logger.info("browser connected", metadata: ["srtp": "\(profile)"])
            events?.legBecameReady()
        case .away: logger.info("browser away: nothing heard for 8 s")
        case .back: logger.info("browser back")
        case .ended(let end): events?.legEnded(self, callEnd(end))
        }
    }

    private func send(_ bytes: UnsafeRawBufferPointer, to address: TransportAddress) {
        guard let slot = io.slot(), slot.count >= bytes.count else { return }
        slot.copyMemory(from: bytes)
        io.send(length: bytes.count, on: .browser, to: address)
    }

    private func callEnd(_ end: PeerEnd) -> CallEnd {
        switch end {
        case .timeout: CallEnd(.connectionLost, detail: "Nothing was heard from the browser for 30 seconds.")
        case .handshakeTimeout: CallEnd(.connectionLost, detail: "The browser did not finish the DTLS handshake in time.")
        case .handshakeFailed(let reason): CallEnd(.failed, detail: "The DTLS handshake failed: \(reason).")
        case .fingerprintMismatch:
            CallEnd(.failed, detail: "The browser's certificate does not have the fingerprint its offer announced.")
        case .closedByPeer: CallEnd(.callerHangup)
        }
    }
}

/// Stands between a port and its leg while the leg is being made: each needs the other.
final class DeferredWire: MediaWire {
    /// Set to nil before the leg is gone, so it needs no weak reference, which would cost every packet.
    unowned var target: (any MediaWire)?

    func packetBuffer() -> UnsafeMutableRawBufferPointer? { target?.packetBuffer() }
    func sendMedia(length: Int, now: NIODeadline) { target?.sendMedia(length: length, now: now) }
    func sendControl(length: Int, now: NIODeadline) { target?.sendControl(length: length, now: now) }
    func resend(_ sequence: UInt16) { target?.resend(sequence) }
}
