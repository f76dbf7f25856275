import NIOCore
import RTCStack
import RTP
import TestKit

@testable import Gateway

/// A browser: real ICE, DTLS and SRTP by `FakeBrowserTransport`, Opus by libopus, an offer like Chrome's.
final class FakeBrowser: VirtualPeer {
    struct Options {
        /// Of the browser's offer: actpass, active or passive.
        var setup = "actpass"
        /// A fingerprint that is not its certificate's.
        var announcedFingerprint: DTLSFingerprint?
        var profiles = SRTPProfile.allCases
        var telephoneEvents = true
        /// The only codec offered: opus or pcmu.
        var codec = "opus"
        /// Of its packets, and what it asks for.
        var packetMilliseconds = 20
        /// Sends receiver reports on what it hears.
        var sendsReports = false
        /// Offers copies of earlier packets (RFC 2198), and sends one with each.
        var redundancy = false
        /// Offers to send again what was lost (RFC 4585), and does.
        var retransmission = false
        /// Offers transport-wide feedback, and gives it.
        var transportFeedback = false
        /// Of its Opus (`a=fmtp`).
        var opusParameters = "minptime=10;useinbandfec=1"
        /// Calls as a WHIP client does, which hears how a call fails.
        var hearsTones = false
    }

    /// What signalling told the browser after its answer, in order.
    var events: [BrowserCallEvent] { mailbox.events }
    private(set) var refusal: BrowserCallRefusal?
    private(set) var answer = ""
    private(set) var callID: CallID?
    private(set) var transportEvents: [FakeBrowserTransport.Output] = []
    let speaker: Speaker
    let listener: Listener
    private(set) var controlPackets = 0
    var sendsMedia = true
    /// Frames of sound made so far, those included that the network lost.
    private(set) var frames: [Speaker.Frame] = []
    /// Whether the network loses the frame of that number.
    var losesFrame: (Int) -> Bool = { _ in false }
    /// Carries events to the switchboard: the signal socket in one closure.
    var signalling: (SwitchboardEvent) -> Void = { _ in }

    /// Asks for what it misses, where it offered that.
    var asksAgain = false
    /// Packets as they were sent, by sequence number.
    private var sent: [UInt16: FakeBrowserTransport.Output] = [:]

    private let mailbox = Mailbox()
    private let options: Options
    private let transport: FakeBrowserTransport
    private let credentials: ICECredentials
    private let certificate: DTLSCertificate
    private var now = VirtualGateway.start
    private let source: UInt32
    private var key: KeyPress?
    private var reporter: ReceiverReporter?
    private var transportReporter: TransportReporter?
    /// Packets that came with a number of the transport.
    private(set) var numberedPackets = 0
    private static let transportExtension: UInt8 = 3

    private let audioType: UInt8
    private static let eventType: UInt8 = 110
    static let redundancyType: UInt8 = 63

    init(host: TransportAddress, options: Options, seed: UInt64) {
        let rate = options.codec == "opus" ? 48000 : 8000
        audioType = options.codec == "opus" ? 111 : 0
        guard let speaker = Speaker(
            codec: options.codec, rate: rate, milliseconds: options.packetMilliseconds, timestamp: 4_294_900_000, sequence: 65_400),
            let listener = Listener(codec: options.codec, rate: rate, audioType: audioType)
        else { preconditionFailure("no codec \(options.codec)") }
        self.speaker = speaker
        self.listener = listener
        self.options = options
        certificate = VirtualGateway.makeCertificate(options.profiles)
        credentials = ICECredentials(ufrag: "brow\(seed)", password: "browserpasswordbrowser\(seed)")
        source = 0x2000_0000 | UInt32(truncatingIfNeeded: seed)
        transport = FakeBrowserTransport(
            .init(
                localAddresses: [host], credentials: credentials, certificate: certificate,
                dtlsRole: options.setup == "passive" ? .passive : .active), seed: seed)
        reporter = options.sendsReports ? ReceiverReporter(
            audioType: audioType, clockRate: rate, ssrc: source, retransmission: options.retransmission, seed: seed) : nil
        transportReporter = options.transportFeedback ? TransportReporter(ssrc: source, identifier: Self.transportExtension) : nil
        super.init(host: host, seed: seed)
    }

    var isConnected: Bool { transport.isConnected }
    var undecryptable: Int { transport.undecryptable }
    var srtpProfile: SRTPProfile? { transport.srtp?.profile }

    /// How the call ended, as signalling said.
    var end: CallEnd? {
        for case .ended(let end) in events { return end }
        return nil
    }

    // MARK: What the browser does

    /// What the user of this browser was told, in order.
    var userEvents: [UserEvent] { mailbox.userEvents }

    /// The call that rang last.
    var incoming: IncomingCall? {
        for case .incoming(let call) in userEvents.reversed() { return call }
        return nil
    }

    func signIn(as user: String) {
        let mailbox = mailbox
        signalling(.signIn(UserSocket(id: socket, user: user) { mailbox.userEvents.append($0) }))
    }

    /// The socket at which the user is signed in.
    var socket: UserSocket.ID { UserSocket.ID(source) }

    func signOut() { signalling(.signOut(socket)) }

    /// - Parameter sdp: in place of the browser's own offer
    func accept(sdp: String? = nil) {
        guard let incoming else { return }
        let mailbox = mailbox
        let acceptance = CallAcceptance(invitation: incoming.invitation, socket: socket, sdp: sdp ?? offer, observer: { mailbox.events.append($0) })
        mailbox.result = nil
        signalling(.accept(acceptance, reply: { mailbox.result = $0 }))
        take(mailbox.result)
    }

    func decline(_ status: Int = 603) {
        guard let incoming else { return }
        signalling(.decline(invitation: incoming.invitation, by: socket, status: status))
    }

    func call(_ to: String, parameters: [String: String] = [:]) {
        let mailbox = mailbox
        let request = BrowserCallRequest(
            to: to, sdp: offer, parameters: parameters, source: host.host, hearsTones: options.hearsTones, observer: { mailbox.events.append($0) })
        signalling(.offer(request, reply: { mailbox.result = $0 }))
        take(mailbox.result)
    }

    private func take(_ result: Result<BrowserCallAnswer, BrowserCallRefusal>?) {
        switch result {
        case .success(let answer): begin(answer)
        case .failure(let refusal): self.refusal = refusal
        case nil: break
        }
    }

    func hangUp() {
        guard let callID else { return }
        signalling(.browserHungUp(callID, CallEnd(.callerHangup)))
    }

    /// The tab is closed: close_notify.
    func close() { does { transport.close(into: &$0) } }

    /// A NAT gives it another port, and its check comes from there at once.
    func moves(toPort port: Int) {
        guard let pair = transport.ice.selectedPair, let new = TransportAddress(host: pair.local.host, port: port) else { return }
        transport.ice.rebind(pair.local, to: new)
        transport.ice.select(local: new, now: now)
    }

    func press(_ event: UInt8, milliseconds: Int = 120) {
        key = KeyPress(event: event, timestamp: speaker.position, packets: milliseconds / 20, step: 960)
    }

    private func begin(_ answer: BrowserCallAnswer) {
        callID = answer.call
        self.answer = answer.sdp
        let lines = answer.sdp.components(separatedBy: "\r\n")
        func value(_ name: String) -> String { lines.first { $0.hasPrefix(name) }.map { String($0.dropFirst(name.count)) } ?? "" }
        let candidates = lines.filter { $0.hasPrefix("a=candidate:") }.map { $0.split(separator: " ") }
        let remotes = candidates.compactMap { fields in Int(fields[5]).flatMap { TransportAddress(host: String(fields[4]), port: $0) } }
        let fingerprint = value("a=fingerprint:").split(separator: " ")
        let bytes = fingerprint.last.map { $0.split(separator: ":").compactMap { UInt8($0, radix: 16) } } ?? []
        does {
            transport.start(
                remotes: remotes, remote: ICECredentials(ufrag: value("a=ice-ufrag:"), password: value("a=ice-pwd:")),
                fingerprints: [DTLSFingerprint(hash: fingerprint.first.map(String.init) ?? "", bytes: bytes)], now: now, into: &$0)
        }
    }

    var offer: String {
        let announced = options.announcedFingerprint ?? certificate.fingerprint
        let fingerprint = "\(announced.hash) \(announced.text)"
        let isOpus = options.codec == "opus"
        let types = (isOpus ? "111 " : "") + (options.redundancy ? "63 " : "") + "0" + (options.telephoneEvents ? " 110 126" : "")
        let opus = isOpus ? "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 \(options.opusParameters)\r\n" : ""
        let copies = options.redundancy ? "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n" : ""
        let map = "a=extmap:\(Self.transportExtension) http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
        let feedback = (options.retransmission ? "a=rtcp-fb:\(audioType) nack\r\n" : "")
            + (options.transportFeedback ? "a=rtcp-fb:\(audioType) transport-cc\r\n\(map)" : "")
        let time = options.packetMilliseconds == 20 ? "" : "a=ptime:\(options.packetMilliseconds)\r\n"
        let keys = options.telephoneEvents ? "a=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n" : ""
        return """
            v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
            a=msid-semantic: WMS stream\r\nm=audio 9 UDP/TLS/RTP/SAVPF \(types)\r\nc=IN IP4 0.0.0.0\r\n\
            a=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:\(credentials.ufrag)\r\na=ice-pwd:\(credentials.password)\r\n\
            a=ice-options:trickle\r\na=fingerprint:\(fingerprint)\r\na=setup:\(options.setup)\r\na=mid:0\r\na=sendrecv\r\n\
            a=rtcp-mux\r\n\(opus)\(feedback)\(copies)a=rtpmap:0 PCMU/8000\r\n\(keys)\(time)a=ssrc:\(source) cname:browser\r\n
            """
    }

    // MARK: Network

    override func receive(_ datagram: VirtualDatagram, now: NIODeadline) {
        self.now = now
        does { transport.receive(datagram.bytes, now: now, into: &$0) }
    }

    override func step(now: NIODeadline) {
        self.now = now
        guard callID != nil else { return }
        if let deadline = transport.deadline, deadline <= now { does { transport.expire(now: now, into: &$0) } }
        if isConnected, let report = transportReporter?.report(now: now) { does { transport.sendControl(report, into: &$0) } }
        if isConnected, let report = reporter?.report(now: now) { does { transport.sendControl(report, into: &$0) } }
        guard isConnected, sendsMedia else { return }
        for frame in speaker.due(now: now) {
            if var press = key {
                for payload in press.next() {
                    send(payload.bytes, Self.eventType, payload.isFirst, speaker.takeSequence(), press.timestamp)
                }
                key = press.isOver ? nil : press
            }
            frames.append(frame)
            let sequence = speaker.takeSequence()
            if losesFrame(frames.count - 1) { continue }
            if options.redundancy, frames.count > 1 {
                let earlier = frames[frames.count - 2]
                send(Self.redundant(frame, after: earlier), Self.redundancyType, frame.marker, sequence, frame.timestamp)
            } else {
                send(frame.payload, audioType, frame.marker, sequence, frame.timestamp)
            }
        }
    }

    /// The payload of RFC 2198 with the frame before in it.
    private static func redundant(_ frame: Speaker.Frame, after earlier: Speaker.Frame) -> [UInt8] {
        let length = earlier.payload.count
        let offset = Int(frame.timestamp &- earlier.timestamp)
        let header: [UInt8] = [0xEF, UInt8(offset >> 6), UInt8((offset & 0x3F) << 2 | length >> 8), UInt8(length & 0xFF), 111]
        return header + earlier.payload + frame.payload
    }

    private func send(_ payload: [UInt8], _ type: UInt8, _ marker: Bool, _ sequence: UInt16, _ timestamp: UInt32) {
        let packet = RTPBytes.packet(
            payloadType: type, marker: marker, sequence: sequence, timestamp: timestamp, source: source, payload: payload)
        does {
            transport.sendMedia(packet, into: &$0)
            if options.retransmission { sent[sequence] = $0.last }
        }
    }

    private func does(_ body: (inout [FakeBrowserTransport.Output]) -> Void) {
        var outputs: [FakeBrowserTransport.Output] = []
        body(&outputs)
        for output in outputs {
            switch output {
            case .send(let bytes, let from, let to): transmit(bytes, from: from, to: to, now: now)
            case .media(let packet):
                listener.receive(packet, now: now)
                reporter?.receive(packet, now: now)
                if transportReporter?.receive(packet, now: now) == true { numberedPackets += 1 }
                if asksAgain, let request = reporter?.request(after: packet) { does { transport.sendControl(request, into: &$0) } }
            case .control(let packet):
                controlPackets += 1
                for sequence in reporter?.receiveControl(packet, now: now) ?? [] {
                    if case .send(let bytes, let from, let to) = sent[sequence] { transmit(bytes, from: from, to: to, now: now) }
                }
            default: transportEvents.append(output)
            }
        }
    }
}

/// Where the switchboard's words land; everything happens on the one thread of the test.
private final class Mailbox: @unchecked Sendable {
    var result: Result<BrowserCallAnswer, BrowserCallRefusal>?
    var events: [BrowserCallEvent] = []
    var userEvents: [UserEvent] = []
}
