import NIOCore
import RTP
import SDP
import TestKit

@testable import Gateway

/// A phone behind a trunk: SIP as text over UDP, RTP with one codec. It calls, or is called.
final class FakeTrunk: VirtualPeer {
    struct Options {
        /// The only codec it speaks.
        var codec = AudioCodec.pcmu
        /// Of its packets, and what it asks for.
        var packetMilliseconds = 20
        /// What it takes at most (`a=maxptime`), where it says so.
        var maximumPacketMilliseconds: Int?
        var telephoneEvents = true

        /// Samples a second that it speaks and hears.
        var rate: Int {
            switch codec {
            case .pcmu, .pcma, .l16Narrow: 8000
            case .g722, .l16Wide: 16_000
            case .opus: 48_000
            }
        }
    }

    /// What a called phone does with an INVITE.
    enum Reaction {
        /// A provisional response: 180, 183 and so on, with a description or without.
        case progress(Int, early: Bool = false)
        case answer
        case refuse(Int)
    }

    /// What it does with each INVITE, so long after it came.
    var reactions: [(after: TimeAmount, does: Reaction)] = [(.milliseconds(10), .progress(180)), (.milliseconds(500), .answer)]
    /// The INVITEs that came, as text; a repeated one counts once.
    private(set) var invites: [String] = []
    private(set) var cancelledAt: NIODeadline?
    private(set) var acknowledged = false
    /// The bodies of the INFO requests that came, and when.
    private(set) var informed: [String] = []
    private(set) var informedAt: [NIODeadline] = []
    /// What it says that it takes (Allow); nil: nothing.
    var allow: String?
    /// The MESSAGE requests that came, whole, and what it answers them.
    private(set) var messages: [String] = []
    var messageStatus = 200
    /// The Refer-To of each REFER that came, and what it answers them; it tells by `notify` how it goes on.
    private(set) var refers: [String] = []
    var referStatus = 202
    /// Its first INVITE has no description; the ACK brings one (delayed offer).
    var offersLate = false
    var answersLate = true
    /// SIP messages that came.
    private(set) var messageCount = 0
    /// Statuses of the answers to the INVITE, in order.
    private(set) var statuses: [Int] = []
    /// Statuses of the answers to everything else, with the method.
    private(set) var otherStatuses: [(method: String, status: Int)] = []
    private(set) var answer = ""
    private(set) var answeredAt: NIODeadline?
    /// When the gateway's BYE came, and the Reason it gave.
    private(set) var byeAt: NIODeadline?
    private(set) var byeReason: String?
    private(set) var retransmittedAnswers = 0
    /// Further fields of its INVITEs.
    var inviteFields: [String] = []
    /// Sends no ACK of a 200.
    var acknowledges = true
    /// Sends no RTP before it is true.
    var sendsMedia = true
    /// What the offers and re-offers say: sendrecv, sendonly, recvonly, inactive.
    var direction = "sendrecv"
    private(set) var speaker: Speaker
    private(set) var listener: Listener
    private(set) var controlPackets = 0

    private var callID: String
    private let tag: String
    private var toTag = ""
    /// From and To of our requests, without our tag and theirs.
    private var local = ""
    private var remote = ""
    private var options: Options
    /// The INVITE being dealt with: its lines, and when it came.
    private var pending: (lines: [String], at: NIODeadline)?
    private var done = 0
    private var sequence = 1
    private var inviteBranch = ""
    private var target = ""
    private var now = VirtualGateway.start
    private var mediaTarget: TransportAddress?
    private let source: UInt32
    private let mediaPort: UInt16 = 4000
    private var key: KeyPress?
    /// The audio goes on under a key, as gateways send it that let the tone leak; phones send events alone.
    var leaksUnderKeys = true

    private let gateway = VirtualGateway.address(VirtualGateway.host, 5060)
    private var audioType: UInt8 { options.codec.defaultPayloadType }
    /// What is spoken while it is not what was offered last.
    private var formerType: UInt8?
    private static let eventType: UInt8 = 101

    init(host: TransportAddress, options: Options = Options(), seed: UInt64) {
        guard
            let speaker = Speaker(
                codec: options.codec.rawValue, rate: options.rate, clockRate: options.codec.rtpClockRate,
                milliseconds: options.packetMilliseconds, timestamp: 160_000, sequence: 65_000),
            let listener = Listener(codec: options.codec.rawValue, rate: options.rate, audioType: options.codec.defaultPayloadType)
        else { preconditionFailure("no codec") }
        self.options = options
        self.speaker = speaker
        self.listener = listener
        callID = "call\(seed)@\(host.host)"
        tag = "phone\(seed)"
        source = 0x1000_0000 | UInt32(truncatingIfNeeded: seed)
        super.init(host: host, seed: seed)
    }

    var isAnswered: Bool { answeredAt != nil }

    // MARK: What the phone does

    func call(_ user: String) {
        target = "sip:\(user)@\(VirtualGateway.host)"
        (local, remote) = ("<sip:+14155552671@\(host.host)>", "<\(target)>")
        inviteBranch = "z9hG4bK\(tag)i\(sequence)"
        send("INVITE", branch: inviteBranch, extra: inviteFields, body: offersLate ? "" : description)
    }

    func cancel() { send("CANCEL", branch: inviteBranch) }

    func hangUp() {
        sequence += 1
        send("BYE", branch: "z9hG4bK\(tag)b\(sequence)")
        mediaTarget = nil
    }

    /// A re-INVITE with the present `direction`.
    func reinvite() {
        sequence += 1
        inviteBranch = "z9hG4bK\(tag)i\(sequence)"
        send("INVITE", branch: inviteBranch, body: description)
    }

    /// Offers another codec, and speaks on in the one of before.
    func offer(codec: AudioCodec) {
        formerType = audioType
        options.codec = codec
        reinvite()
    }

    /// Something beside the sound (RFC 6086).
    func inform(_ contentType: String, _ body: String) {
        sequence += 1
        send("INFO", branch: "z9hG4bK\(tag)f\(sequence)", contentType: contentType, body: body)
    }

    /// A text within the call, or outside of any.
    func text(_ contentType: String, _ body: String, inDialog: Bool = true) {
        sequence += 1
        let dialog = (toTag, callID)
        if !inDialog { (toTag, callID) = ("", "text\(sequence)@\(host.host)") }
        send("MESSAGE", branch: "z9hG4bK\(tag)m\(sequence)", contentType: contentType, body: body)
        (toTag, callID) = dialog
    }

    /// Tells how its call to a Refer-To goes (RFC 3515).
    func notify(_ status: Int, state: String = "active") {
        sequence += 1
        let extra = ["Event: refer", "Subscription-State: \(state)"]
        send("NOTIFY", branch: "z9hG4bK\(tag)n\(sequence)", contentType: "message/sipfrag", extra: extra, body: "SIP/2.0 \(status) Whatever\r\n")
    }

    /// Of its Opus (`a=fmtp`); empty: no such line.
    var opusParameters = ""

    /// A re-INVITE for another codec, which it speaks and hears from then on.
    func reinvite(codec: AudioCodec) {
        let position = UInt64(speaker.position) * UInt64(codec.rtpClockRate) / UInt64(options.codec.rtpClockRate)
        options.codec = codec
        guard
            let speaker = Speaker(
                codec: codec.rawValue, rate: options.rate, clockRate: codec.rtpClockRate, milliseconds: options.packetMilliseconds,
                timestamp: UInt32(truncatingIfNeeded: position), sequence: speaker.takeSequence()),
            let listener = Listener(codec: codec.rawValue, rate: options.rate, audioType: codec.defaultPayloadType)
        else { preconditionFailure("no codec") }
        self.speaker = speaker
        self.listener = listener
        formerType = nil
        reinvite()
    }

    /// Presses a key for so many milliseconds (RFC 4733), with the tone leaking into the audio before it if wanted.
    func press(_ event: UInt8, milliseconds: Int = 120) {
        key = KeyPress(event: event, timestamp: speaker.position, packets: milliseconds / 20, step: options.codec.rtpClockRate / 50)
    }

    /// One packet of comfort noise (RFC 3389).
    func sendNoise(level: UInt8) {
        guard let mediaTarget else { return }
        let packet = RTPBytes.packet(
            payloadType: 13, marker: false, sequence: speaker.takeSequence(), timestamp: speaker.position, source: source, payload: [level])
        transmit(packet, from: mediaSource, to: mediaTarget, now: now)
    }

    private var description: String {
        let (direction, type, codec) = (direction, audioType, options.codec)
        let keys = options.telephoneEvents ? "a=rtpmap:101 telephone-event/\(codec.rtpClockRate)\r\na=fmtp:101 0-15\r\n" : ""
        let most = options.maximumPacketMilliseconds.map { "a=maxptime:\($0)\r\n" } ?? ""
        let channels = codec.sdpChannels > 1 ? "/\(codec.sdpChannels)" : ""
        return """
            v=0\r\no=- 1 \(sequence) IN IP4 \(host.host)\r\ns=-\r\nc=IN IP4 \(host.host)\r\nt=0 0\r\n\
            m=audio \(mediaPort) RTP/AVP \(type)\(keys.isEmpty ? "" : " 101")\r\na=rtpmap:\(type) \(codec.sdpName)/\(codec.rtpClockRate)\(channels)\r\n\
            \(opusParameters.isEmpty ? "" : "a=fmtp:\(type) \(opusParameters)\r\n")\(keys)a=ptime:\(options.packetMilliseconds)\r\n\(most)a=\(direction)\r\n
            """
    }

    private func send(_ method: String, branch: String, sequence number: Int? = nil, contentType: String = "application/sdp", extra: [String] = [], body: String = "") {
        var lines = [
            "\(method) \(target) SIP/2.0", "Via: SIP/2.0/UDP \(host.host):5060;branch=\(branch);rport", "Max-Forwards: 70",
            "From: \(local);tag=\(tag)", "To: \(remote)\(toTag.isEmpty ? "" : ";tag=\(toTag)")",
            "Call-ID: \(callID)", "CSeq: \(number ?? sequence) \(method)", "Contact: <sip:phone@\(host.host):5060>",
        ] + extra
        if let allow { lines.append("Allow: \(allow)") }
        if !body.isEmpty { lines.append("Content-Type: \(contentType)") }
        lines.append("Content-Length: \(body.utf8.count)")
        transmit(Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8), from: host, to: gateway, now: now)
    }

    // MARK: What it gets

    override func receive(_ datagram: VirtualDatagram, now: NIODeadline) {
        self.now = now
        switch datagram.to.port {
        case host.port:
            messageCount += 1
            receiveMessage(String(decoding: datagram.bytes, as: UTF8.self))
        case mediaPort: listener.receive(datagram.bytes, now: now)
        default: controlPackets += 1
        }
    }

    private func receiveMessage(_ text: String) {
        let parts = text.components(separatedBy: "\r\n\r\n")
        let lines = parts[0].components(separatedBy: "\r\n")
        func header(_ name: String) -> String? { Self.header(name, lines) }
        guard lines[0].hasPrefix("SIP/2.0 ") else {
            return receiveRequest(text, lines)
        }
        let status = Int(lines[0].dropFirst(8).prefix(3)) ?? 0
        let sequenceAndMethod = (header("cseq") ?? "").split(separator: " ")
        let method = sequenceAndMethod.last.map(String.init) ?? ""
        guard method == "INVITE" else {
            otherStatuses.append((method, status))
            return
        }
        let number = sequenceAndMethod.first.flatMap { Int($0) } ?? 0
        if let tag = header("to")?.components(separatedBy: ";tag=").dropFirst().first, status >= 200 { toTag = tag }
        statuses.append(status)
        if (101...199).contains(status), let early = parts.last, !early.isEmpty {
            answer = early
            takeAnswer()
        }
        if status >= 300 { send("ACK", branch: inviteBranch, sequence: number) }
        guard (200..<300).contains(status) else { return }
        if answeredAt == nil { answeredAt = now } else if parts.last == answer { retransmittedAnswers += 1 }
        answer = parts.last ?? ""
        takeAnswer()
        if acknowledges { send("ACK", branch: "z9hG4bK\(tag)a\(number)", sequence: number, body: offersLate && answersLate ? description : "") }
        offersLate = false
    }

    private func receiveRequest(_ text: String, _ lines: [String]) {
        switch lines[0].prefix(while: { $0 != " " }) {
        case "INVITE":
            guard pending?.lines != lines, !invites.contains(text) else { return }
            invites.append(text)
            pending = (lines, now)
            done = 0
            answer = text.components(separatedBy: "\r\n\r\n").last ?? ""
            becomeCallee(lines)
        case "ACK": acknowledged = true
        case "CANCEL":
            cancelledAt = now
            respond(lines)
            if let pending { respond(pending.lines, status: 487) }
            pending = nil
        case "BYE":
            byeAt = byeAt ?? now
            byeReason = Self.header("reason", lines)
            mediaTarget = nil
            respond(lines)
        case "INFO":
            informed.append(text.components(separatedBy: "\r\n\r\n").last ?? "")
            informedAt.append(now)
            respond(lines)
        case "MESSAGE":
            messages.append(text)
            respond(lines, status: messageStatus)
        case "REFER":
            refers.append(Self.header("refer-to", lines) ?? "")
            respond(lines, status: referStatus)
        default: respond(lines)
        }
    }

    /// The dialog as the callee sees it.
    private func becomeCallee(_ lines: [String]) {
        let from = Self.header("from", lines) ?? ""
        toTag = from.components(separatedBy: ";tag=").dropFirst().first ?? ""
        remote = from.components(separatedBy: ";tag=").first ?? ""
        local = Self.header("to", lines) ?? ""
        callID = Self.header("call-id", lines) ?? ""
        target = (Self.header("contact", lines) ?? "").filter { $0 != "<" && $0 != ">" }
        sequence = 1000
    }

    private func react() {
        while let pending, done < reactions.count, pending.at + reactions[done].after <= now {
            let reaction = reactions[done].does
            done += 1
            switch reaction {
            case .progress(let status, let early):
                if early { takeAnswer() }
                respond(pending.lines, status: status, body: early ? description : "")
            case .answer:
                takeAnswer()
                answeredAt = now
                self.pending = nil
                respond(pending.lines, status: 200, body: description)
            case .refuse(let status):
                self.pending = nil
                mediaTarget = nil
                respond(pending.lines, status: status)
            }
        }
    }

    private static func header(_ name: String, _ lines: [String]) -> String? {
        lines.first { $0.lowercased().hasPrefix(name + ":") }.map { $0.dropFirst(name.count + 1).drop { $0 == " " } }.map(String.init)
    }

    private func takeAnswer() {
        let lines = answer.components(separatedBy: "\r\n")
        let port = lines.first { $0.hasPrefix("m=audio ") }?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        mediaTarget = port == 0 ? nil : VirtualGateway.address(VirtualGateway.host, port)
    }

    /// The answer's direction attribute.
    var answeredDirection: String? {
        answer.components(separatedBy: "\r\n").first { ["a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive"].contains($0) }
    }

    private func respond(_ request: [String], status: Int = 200, body: String = "") {
        let kept = request.filter { line in ["via:", "from:", "to:", "call-id:", "cseq:"].contains { line.lowercased().hasPrefix($0) } }
            .map { $0.lowercased().hasPrefix("to:") && !$0.contains(";tag=") ? "\($0);tag=\(tag)" : $0 }
        var lines = ["SIP/2.0 \(status) Whatever"] + kept + ["Contact: <sip:phone@\(host.host):5060>"]
        if !body.isEmpty { lines.append("Content-Type: application/sdp") }
        lines.append("Content-Length: \(body.utf8.count)")
        transmit(Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8), from: host, to: gateway, now: now)
    }

    // MARK: Media

    private var mediaSource: TransportAddress { host.with(port: mediaPort) }

    override func step(now: NIODeadline) {
        self.now = now
        react()
        guard let mediaTarget, sendsMedia, direction != "inactive", direction != "recvonly" else { return }
        for frame in speaker.due(now: now) {
            if var press = key {
                for payload in press.next() { sendKey(payload, press, to: mediaTarget) }
                key = press.isOver ? nil : press
                guard leaksUnderKeys else { continue }
            }
            let packet = RTPBytes.packet(
                payloadType: formerType ?? audioType, marker: frame.marker, sequence: speaker.takeSequence(), timestamp: frame.timestamp, source: source,
                payload: frame.payload)
            transmit(packet, from: mediaSource, to: mediaTarget, now: now)
        }
    }

    private func sendKey(_ payload: KeyPress.Payload, _ press: KeyPress, to target: TransportAddress) {
        let packet = RTPBytes.packet(
            payloadType: Self.eventType, marker: payload.isFirst, sequence: speaker.takeSequence(), timestamp: press.timestamp,
            source: source, payload: payload.bytes)
        transmit(packet, from: mediaSource, to: target, now: now)
    }
}
