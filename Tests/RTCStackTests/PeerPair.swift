import NIOCore
import RTCStack
import RTP
import TestKit
import Testing

/// A gateway's session and a browser with a bad network between them, on virtual time.
final class PeerPair {
    struct Datagram {
        let bytes: [UInt8]
        let from: TransportAddress
        let to: TransportAddress

        var kind: PacketKind { bytes.withUnsafeBytes { PacketKind($0) } }
    }

    struct Options {
        var sessionRole = DTLSRole.passive
        var browserProfiles = SRTPProfile.allCases
        var isIPv6 = false
        var interfaces = 1
        var seed: UInt64 = 1
        /// What the session is told of the browser's certificate; `nil` is the truth.
        var announcedByBrowser: [DTLSFingerprint]?
        /// What the browser is told of ours; `nil` is the truth.
        var announcedByGateway: [DTLSFingerprint]?
        /// The browser's description comes later, by `setRemote`.
        var remoteIsUnknown = false
        var saysHelloEarly = false
        var maximumHandshakeDatagram = DTLSEngine.maximumDatagram
    }

    /// `PeerOutput` with its bytes copied, without what is sent.
    enum Event: Equatable {
        case connected(SRTPProfile)
        case selected(TransportAddress)
        case media([UInt8])
        case control([UInt8])
        case away, back
        case ended(PeerEnd)
    }

    static let gatewayCertificate = makeCertificate()
    static let browserCertificate = makeCertificate()

    static func makeCertificate(_ profiles: [SRTPProfile] = SRTPProfile.allCases) -> DTLSCertificate {
        do { return try DTLSCertificate(profiles: profiles) } catch { preconditionFailure("no certificate: \(error)") }
    }

    private(set) var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    let session: PeerSession
    let browser: FakeBrowserTransport
    let gatewayAddress: TransportAddress
    let gatewayCredentials = ICECredentials(ufrag: "gateway1", password: "gatewaypasswordgateway12")
    let browserCredentials = ICECredentials(ufrag: "brow", password: "browserpasswordbrowser12")
    let certificate: DTLSCertificate

    var toSession: LossyNetwork<Datagram>
    var toBrowser: LossyNetwork<Datagram>
    /// Says what is let through, before the network has its turn.
    var passes: (Datagram) -> Bool = { _ in true }
    private(set) var sent: [Datagram] = []
    private(set) var events: [Event] = []
    private(set) var eventTimes: [NIODeadline] = []
    private(set) var browserEvents: [FakeBrowserTransport.Output] = []

    init(_ options: Options = Options()) {
        toSession = LossyNetwork(seed: options.seed)
        toBrowser = LossyNetwork(seed: options.seed &+ 1_000_003)
        toSession.delay = .milliseconds(5)
        toBrowser.delay = .milliseconds(5)
        gatewayAddress = Self.address(1, options.isIPv6)
        certificate =
            options.browserProfiles == SRTPProfile.allCases
            ? Self.browserCertificate : Self.makeCertificate(options.browserProfiles)
        let known = !options.remoteIsUnknown
        var configuration = PeerSession.Configuration(
            certificate: Self.gatewayCertificate, localUfrag: gatewayCredentials.ufrag, localPassword: gatewayCredentials.password,
            remoteUfrag: known ? browserCredentials.ufrag : nil, remotePassword: known ? browserCredentials.password : nil,
            remoteFingerprints: known ? options.announcedByBrowser ?? [certificate.fingerprint] : [], dtlsRole: options.sessionRole)
        configuration.maximumHandshakeDatagram = options.maximumHandshakeDatagram
        session = PeerSession(configuration, now: now)
        var browserSide = FakeBrowserTransport.Configuration(
            localAddresses: (0..<options.interfaces).map { Self.address(UInt16(100 + $0), options.isIPv6) },
            credentials: browserCredentials, certificate: certificate, dtlsRole: options.sessionRole == .passive ? .active : .passive)
        browserSide.maximumHandshakeDatagram = options.maximumHandshakeDatagram
        browserSide.saysHelloEarly = options.saysHelloEarly
        browser = FakeBrowserTransport(browserSide, seed: options.seed)
        announced = options.announcedByGateway ?? [Self.gatewayCertificate.fingerprint]
    }

    private let announced: [DTLSFingerprint]

    static func address(_ number: UInt16, _ isIPv6: Bool = false) -> TransportAddress {
        isIPv6
            ? TransportAddress(high: 0x2001_0DB8_0000_0000, low: UInt64(number), port: 40000 + number)
            : TransportAddress(ipv4: 0xC000_0200 + UInt32(number), port: 40000 + number)
    }

    var media: [[UInt8]] { events.compactMap { if case .media(let bytes) = $0 { bytes } else { nil } } }
    var browserMedia: [[UInt8]] { browserEvents.compactMap { if case .media(let bytes) = $0 { bytes } else { nil } } }
    var isConnected: Bool { session.isConnected && browser.isConnected }

    func time(of event: Event) -> NIODeadline? { events.firstIndex(of: event).map { eventTimes[$0] } }

    // MARK: - What happens

    func startBrowser() {
        browserDoes {
            browser.start(remotes: [gatewayAddress], remote: gatewayCredentials, fingerprints: announced, now: now, into: &$0)
        }
    }

    /// Runs until nothing is due before the time is up, or the condition holds.
    @discardableResult
    func run(for amount: TimeAmount, until condition: () -> Bool = { false }) -> Bool {
        let end = now + amount
        while !condition() {
            let next = [toSession.deadline, toBrowser.deadline, session.deadline, browser.deadline].compactMap { $0 }.min()
            guard let next, next <= end else {
                now = max(now, end)
                return condition()
            }
            now = max(now, next)
            while let arrival = toSession.receive(now: now) { deliver(arrival.datagram) }
            while let arrival = toBrowser.receive(now: now) {
                browserDoes { browser.receive(arrival.datagram.bytes, now: now, into: &$0) }
            }
            sessionDoes { session.expire(now: now, into: &$0) }
            browserDoes { browser.expire(now: now, into: &$0) }
        }
        return true
    }

    /// Starts and runs until both ends may send, five seconds at most.
    @discardableResult
    func connect() -> Bool {
        startBrowser()
        return run(for: .seconds(5)) { isConnected }
    }

    /// Hands a datagram to the session at once, past the network.
    func deliver(_ datagram: Datagram) {
        var bytes = datagram.bytes
        bytes.withUnsafeMutableBytes { buffer in
            sessionDoes { session.receive(buffer, from: datagram.from, now: now, into: &$0) }
        }
    }

    func sessionDoes(_ body: (inout [PeerOutput]) -> Void) {
        var out: [PeerOutput] = []
        body(&out)
        for output in out {
            switch output {
            case .send(let bytes, let to): transmit(Datagram(bytes: Array(bytes), from: gatewayAddress, to: to), &toBrowser)
            case .connected(let profile): note(.connected(profile))
            case .selected(let address): note(.selected(address))
            case .media(let bytes): note(.media(Array(bytes)))
            case .control(let bytes): note(.control(Array(bytes)))
            case .away: note(.away)
            case .back: note(.back)
            case .ended(let end): note(.ended(end))
            }
        }
    }

    func browserDoes(_ body: (inout [FakeBrowserTransport.Output]) -> Void) {
        var out: [FakeBrowserTransport.Output] = []
        body(&out)
        for output in out {
            guard case .send(let bytes, let from, let to) = output else {
                browserEvents.append(output)
                continue
            }
            transmit(Datagram(bytes: bytes, from: from, to: to), &toSession)
        }
    }

    /// Sends an RTP packet as the gateway would; false when the session has no keys.
    @discardableResult
    func sendFromGateway(_ packet: [UInt8], isControl: Bool = false) -> Bool {
        var bytes = packet + [UInt8](repeating: 0, count: 32)
        let length = bytes.withUnsafeMutableBytes { buffer -> Int? in
            guard let base = buffer.baseAddress else { return nil }
            return isControl
                ? session.protectControl(base, length: packet.count, capacity: buffer.count)
                : session.protect(base, length: packet.count, capacity: buffer.count)
        }
        guard let length, let to = session.selectedAddress else { return false }
        transmit(Datagram(bytes: Array(bytes[..<length]), from: gatewayAddress, to: to), &toBrowser)
        return true
    }

    private func note(_ event: Event) {
        events.append(event)
        eventTimes.append(now)
    }

    private func transmit(_ datagram: Datagram, _ network: inout LossyNetwork<Datagram>) {
        sent.append(datagram)
        if passes(datagram) { network.send(datagram, bytes: datagram.bytes.count, now: now) }
    }

    /// An RTP packet of 20 ms with this number.
    static func packet(_ number: UInt16) -> [UInt8] {
        [0x80, 111, UInt8(number >> 8), UInt8(number & 0xFF), 0, 0, 0, 1, 0xCA, 0xFE, 0xBA, 0xBE] + (0..<80).map { UInt8($0) }
    }

    /// A receiver report without blocks.
    static let report: [UInt8] = [0x80, 201, 0, 1, 0xCA, 0xFE, 0xBA, 0xBE]
}
