import Foundation
import NIOCore

/// `tandem.media.v1`, the gateway's own protocol (AGENT-PROTOCOLS section 6): binary sound with a clock each way, exact positions of
/// what was heard, generations, flow control, transfer, and a call that survives its socket. This file speaks to the agent,
/// `TandemDialect+Agent.swift` understands it.
final class TandemDialect: AgentDialect {
    let subprotocol: String? = TandemDialect.name
    let acceptsByMessage = true
    let wantsQuality = true
    let wantsSlots = true
    let resumptionWindow: TimeAmount? = .milliseconds(Int64(TandemDialect.resumptionWindowMilliseconds))
    let closeDelay = TimeAmount.milliseconds(500)
    let stallLimit: TimeAmount? = .seconds(10)

    static let name = "tandem.media.v1"
    static let version = "1.0"
    static let mostBufferedMilliseconds = 60_000
    static let pauseMilliseconds = 4000
    static let resumeMilliseconds = 2000
    static let resumptionWindowMilliseconds = 15_000
    static let features = [
        "clear", "mark", "flow", "transfer", "transfer.attended", "transfer.refer", "resume", "reject", "pause", "dtmf", "hold", "mute", "message", "set", "speech", "playout", "stats", "concealed",
    ]
    /// Whose sound a binary message carries, as its header says.
    enum Track: UInt16 {
        case caller, otherParty
    }

    /// Bytes before the sound of a binary message.
    static let headerLength = 16

    /// What the agent chose; of the caller's sound and of its own.
    var formats: (caller: TandemFormat, agent: TandemFormat)
    let offer: [TandemFormat]
    var rate: Int { formats.caller.rate }
    var playoutRate: Int { formats.agent.rate }
    var takesCallerPackets: Bool { formats.caller.codec == .opus }
    var sendsPackets: Bool { formats.agent.codec == .opus }

    var call: AgentCallInfo?
    private let session: (id: String, token: String)
    var axis = TandemAxis()
    var replay: TandemReplay?
    private(set) var playout = PlayoutPosition(heard: 0, end: 0)
    private var lastSlot = AgentSlotFigures(gaps: 0, framesDropped: 0)
    /// Of the gateway's events and of its binary messages on this connection.
    private var seq: Int64 = 0
    private var binarySeq: UInt32 = 0
    /// Of the agent's commands and of its binary messages.
    var lastID: Int64 = 0
    var agentSeq: Int64 = 0
    /// The agent came back and may say again what was already done.
    var repeatsFrom: Int64?
    /// A new socket waits for `accept`.
    var isResuming = false
    var isAccepted = false
    var pendingMarks: [String] = []
    /// Of the `clear` that is being done.
    var clearing: Int?
    private var isFlowPaused = false
    var reportMilliseconds: Int64?
    private var sinceReport: Int64 = 0
    /// Whose sound the agent hears: the caller's, or that of the phone it consults.
    private(set) var track = Track.caller
    /// Caller audio that was dropped and is not told of yet.
    var gap: (from: Int64, to: Int64)?
    /// Caller audio was lost and told of: the sound that comes next does not continue what was before.
    var isAfterLoss = false

    init(_ call: AgentCallInfo, using generator: inout some RandomNumberGenerator) {
        offer = TandemFormat.offer(call)
        formats = (offer[0], offer[0])
        func word() -> String { String(generator.next(), radix: 36) }
        session = ("ses_" + word(), word() + word())
    }

    // MARK: Events

    /// - Parameter isKept: whether it is said again to an agent that comes back without having heard it
    func send(_ name: StaticString, isKept: Bool = true, to transport: any AgentTransport, fields: (inout TandemEvent) -> Void = { _ in }) {
        seq += 1
        // A kept text must not share its storage with the transport's spare buffer.
        var event = TandemEvent(name, seq: seq, into: isKept ? ByteBufferAllocator().buffer(capacity: 192) : transport.makeBuffer(capacity: 192))
        fields(&event)
        let text = event.finish()
        if isKept { replay?.keep(event: text, seq: seq) }
        if !isResuming { transport.send(text: text) }
    }

    func sendError(_ code: String, _ message: String, re: Int64?, to transport: any AgentTransport) {
        send("error", to: transport) {
            if let re { $0.field("re", re) }
            $0.field("code", code)
            $0.field("message", message)
            $0.field("fatal", false)
        }
    }

    private var sessionJSON: String { #"{"id":"\#(session.id)","resume_token":"\#(session.token)"}"# }

    func opening(_ call: AgentCallInfo, to transport: any AgentTransport) {
        self.call = call
        send("start", to: transport) { event in
            event.field("version", Self.version)
            event.field("session", json: sessionJSON)
            event.field("call", json: Self.json(call))
            event.field("offer", json: String(decoding: (try? JSONEncoder().encode(offer)) ?? Data(), as: UTF8.self))
            event.field(
                "limits",
                json: "{\"max_buffer_ms\":\(Self.mostBufferedMilliseconds),\"pause_ms\":\(Self.pauseMilliseconds),"
                    + "\"resume_ms\":\(Self.resumeMilliseconds),\"resume_window_ms\":\(Self.resumptionWindowMilliseconds)}")
            event.field("features", Self.features)
            event.field("parameters", call.parameters)
        }
    }

    private static func json(_ call: AgentCallInfo) -> String {
        struct Members: Encodable {
            var id, leg, direction, from, to: String
            var codec: String?
            var sip_headers: [String: String]
        }
        let members = Members(
            id: "\(call.call)", leg: call.isBrowser ? "webrtc" : "sip", direction: call.isOutbound ? "outbound" : "inbound", from: call.from,
            to: call.to, codec: call.callerCodec, sip_headers: call.headers)
        return String(decoding: JSONText.encode(members), as: UTF8.self)
    }

    func resuming(_ playout: PlayoutPosition, to transport: any AgentTransport) {
        self.playout = playout
        binarySeq = 0
        let seen = agentSeq
        agentSeq = 0
        isResuming = true
        // Not counted, so that the last event the agent saw is still the last one before its socket broke.
        var event = TandemEvent("resume", seq: 0, into: transport.makeBuffer(capacity: 512))
        event.field("version", Self.version)
        event.field("session", json: sessionJSON)
        event.field("agent_seq", seen)
        event.field("agent_pts", axis.next)
        event.field("gen", Int64(axis.current))
        event.field("heard_pts", axis.pts(at: playout.heard))
        event.field("marks", pendingMarks)
        event.field("last_id", lastID)
        transport.send(text: event.finish())
    }

    /// The agent took the call, or joins it again: from here on it hears the caller.
    func joined(to transport: any AgentTransport) {
        send("call", to: transport) { $0.field("state", "answered") }
    }

    func mark(_ name: String, to transport: any AgentTransport) { sendMark(name, "played", heard: playout.heard, to: transport) }

    private func sendMark(_ name: String, _ status: String, heard: Int64, to transport: any AgentTransport) {
        if let place = pendingMarks.firstIndex(of: name) { pendingMarks.remove(at: place) }
        send("mark", to: transport) {
            $0.field("name", name)
            $0.field("status", status)
            $0.field("heard_pts", axis.pts(at: heard))
        }
    }

    func cleared(_ cut: PlayoutCut, to transport: any AgentTransport) {
        let generation = clearing ?? axis.latest
        if clearing == nil { _ = axis.clear(upTo: generation) }
        send("cleared", to: transport) {
            $0.field("gen", Int64(generation))
            $0.field("heard_pts", axis.pts(at: cut.heard))
            $0.field("dropped", Int64(cut.dropped))
            $0.field("cause", cut.cause.rawValue)
        }
        for name in cut.marks { sendMark(name, "cleared", heard: cut.heard, to: transport) }
    }

    /// A mark of a generation that is not heard any more.
    func missed(_ mark: String, heard: Int64, to transport: any AgentTransport) {
        sendMark(mark, "cleared", heard: heard, to: transport)
    }

    func speech(_ speech: CallerSpeech, to transport: any AgentTransport) {
        send("speech", to: transport) {
            $0.field("state", speech.hasBegun ? "started" : "stopped")
            $0.field("pts", speech.position)
            if speech.interrupted { $0.field("interrupted", true) }
        }
    }

    func digit(_ digit: Digit, to transport: any AgentTransport) {
        send("dtmf", to: transport) {
            $0.field("digit", String(digit.character))
            $0.field("duration_ms", Self.keyMilliseconds)
            $0.field("pts", replay?.end ?? 0)
            $0.field("source", digit.source.rawValue)
        }
    }

    /// Keys are passed on when they begin.
    private static let keyMilliseconds: Int64 = 100

    func transfer(_ progress: AgentTransferProgress, to transport: any AgentTransport) {
        send("transfer", to: transport) {
            $0.field("re", progress.reference)
            $0.field("state", progress.state.rawValue)
            if let status = progress.sipStatus { $0.field("sip_code", Int64(status)) }
            if !progress.detail.isEmpty { $0.field("reason", progress.detail) }
        }
    }

    func consult(_ isConsulting: Bool, to transport: any AgentTransport) {
        track = isConsulting ? .otherParty : .caller
        replay?.forgetPackets()
    }

    func caller(_ state: CallerState, to transport: any AgentTransport) {
        send("call", to: transport) { $0.field("state", state.rawValue) }
    }

    func messageRefused(_ reference: Int64, status: Int, to transport: any AgentTransport) {
        sendError("not_allowed", "The phone did not take the message (\(status)).", re: reference, to: transport)
    }

    func message(_ message: CallMessage, to transport: any AgentTransport) {
        send("message", to: transport) {
            $0.field("content_type", message.contentType)
            $0.field("body", message.body)
        }
    }

    func quality(_ quality: CallerQuality, to transport: any AgentTransport) {
        guard isAccepted, !isResuming else { return }
        send("stats", isKept: false, to: transport) {
            $0.field("loss_pct", json: quality.lossPercent.oneDecimal)
            $0.field("jitter_ms", json: quality.jitterMilliseconds.oneDecimal)
            $0.field("concealed_ms", Int64(quality.concealedMilliseconds))
            if let trip = quality.roundTripMilliseconds { $0.field("rtt_ms", json: trip.oneDecimal) }
            if let mos = quality.meanOpinionScore { $0.field("mos", json: mos.oneDecimal) }
            if let codec = quality.codec { $0.field("codec", codec) }
            if let answer = quality.answerMilliseconds { $0.field("answer_ms", Int64(answer)) }
            $0.field("gaps", Int64(lastSlot.gaps))
            $0.field("late_dropped", Int64(axis.stale))
            $0.field("queue_ms", milliseconds(playout.end - playout.heard))
        }
    }

    func slot(_ playout: PlayoutPosition, call: AgentSlotFigures, to transport: any AgentTransport) {
        self.playout = playout
        lastSlot = call
        flow(to: transport)
        guard let reportMilliseconds, !isResuming else { return }
        sinceReport += Int64(PlayoutQueue.slotMilliseconds)
        guard sinceReport >= reportMilliseconds else { return }
        sinceReport = 0
        send("playout", isKept: false, to: transport) {
            $0.field("gen", Int64(axis.generation(at: playout.heard)))
            $0.field("heard_pts", axis.pts(at: playout.heard))
            $0.field("buffered_ms", milliseconds(playout.end - playout.heard))
            $0.field("state", playout.isPaused ? "paused" : playout.isPlaying ? "playing" : "idle")
        }
    }

    /// Says when too much is queued, and when there is room again.
    func flow(to transport: any AgentTransport) {
        let buffered = milliseconds(playout.end - playout.heard)
        let isPaused = buffered > (isFlowPaused ? Self.resumeMilliseconds : Self.pauseMilliseconds)
        guard isPaused != isFlowPaused else { return }
        isFlowPaused = isPaused
        send("flow", to: transport) {
            $0.field("state", isPaused ? "pause" : "resume")
            $0.field("buffered_ms", buffered)
        }
    }

    func queued(_ playout: PlayoutPosition) { self.playout = playout }

    func milliseconds(_ samples: Int64) -> Int64 { samples * 1000 / Int64(playoutRate) }

    func stop(_ end: CallEnd, to transport: any AgentTransport) {
        send("stop", to: transport) {
            $0.field("cause", end.reason.rawValue)
            $0.field("sip_code", Int64(end.sipStatus))
            $0.field("duration_ms", replay.map { $0.end * 1000 / Int64(rate) } ?? 0)
        }
    }

    // MARK: Sound

    func audio(_ samples: UnsafeBufferPointer<Int16>, position: Int64, to transport: any AgentTransport) {
        send(samples, position: position, flags: 0, to: transport)
    }

    func concealedAudio(_ samples: UnsafeBufferPointer<Int16>, position: Int64, to transport: any AgentTransport) {
        send(samples, position: position, flags: TandemFlags.concealed, to: transport)
    }

    private func send(_ samples: UnsafeBufferPointer<Int16>, position: Int64, flags: UInt8, to transport: any AgentTransport) {
        let flags = flags | (isAfterLoss ? TandemFlags.discontinuity : 0)
        isAfterLoss = false
        replay?.keep(samples, flags: flags, track: track)
        guard !isResuming else { return }
        sendAudio(samples, of: track, position: position, flags: flags | tellGap(to: transport), to: transport)
    }

    func packet(_ packet: CallerPacket, to transport: any AgentTransport) {
        replay?.keep(packet)
        guard !isResuming else { return }
        let flags = packet.isAfterGap ? TandemFlags.discontinuity : 0
        sendPacket(packet.payload, of: track, position: packet.position, flags: flags | tellGap(to: transport), to: transport)
    }

    /// Tells of sound that was dropped before this.
    /// - Returns: the flags of the sound that follows it
    private func tellGap(to transport: any AgentTransport) -> UInt8 {
        guard let gap else { return 0 }
        self.gap = nil
        sendGap(gap.from, gap.to, to: transport)
        return TandemFlags.discontinuity
    }

    func sendGap(_ from: Int64, _ to: Int64, to transport: any AgentTransport) {
        send("gap", to: transport) {
            $0.field("from_pts", from)
            $0.field("to_pts", to)
        }
    }

    func sendAudio(
        _ samples: UnsafeBufferPointer<Int16>, of track: Track, position: Int64, flags: UInt8, to transport: any AgentTransport
    ) {
        let format = formats.caller
        transport.send(.binary, atMost: Self.headerLength + samples.count * format.bytesPerSample) { memory in
            var pen = MessagePen(memory)
            writeHeader(of: track, position: position, flags: flags, &pen)
            return pen.count + format.write(samples, to: UnsafeMutableRawBufferPointer(rebasing: memory[pen.count...]))
        }
    }

    func sendPacket(
        _ payload: UnsafeRawBufferPointer, of track: Track, position: Int64, flags: UInt8, to transport: any AgentTransport
    ) {
        transport.send(.binary, atMost: Self.headerLength + payload.count) { memory in
            var pen = MessagePen(memory)
            writeHeader(of: track, position: position, flags: flags, &pen)
            pen.write(payload)
            return pen.count
        }
    }

    private func writeHeader(of track: Track, position: Int64, flags: UInt8, _ pen: inout MessagePen) {
        pen.write(bigEndian: 1 as UInt8)
        pen.write(bigEndian: flags)
        pen.write(bigEndian: track.rawValue)
        pen.write(bigEndian: binarySeq)
        pen.write(bigEndian: UInt64(bitPattern: position))
        binarySeq &+= 1
    }

    func dropped(_ packet: CallerPacket, to transport: any AgentTransport) {
        replay?.keep(packet)
        gap = (gap?.from ?? packet.position, packet.position + Int64(packet.samples))
    }

    func dropped(_ samples: UnsafeBufferPointer<Int16>, position: Int64, to transport: any AgentTransport) {
        replay?.keep(samples, track: track)
        gap = (gap?.from ?? position, position + Int64(samples.count))
    }

    func lost(_ positions: Range<Int64>, to transport: any AgentTransport) {
        replay?.skip(to: positions.upperBound, track: track)
        sendGap(gap?.from ?? positions.lowerBound, positions.upperBound, to: transport)
        gap = nil
        isAfterLoss = !takesCallerPackets
    }
}

extension Double {
    /// For JSON.
    fileprivate var oneDecimal: String { String((self * 10).rounded() / 10) }
}
