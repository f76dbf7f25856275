import NIOCore

/// How one kind of agent wants a call told: a translation between its messages and the session's words, and nothing else.
/// One file each in `Dialects/`, or a folder.
protocol AgentDialect: AnyObject {
    /// Hertz of the caller's audio on the wire. May change until the agent takes the call.
    var rate: Int { get }
    /// Hertz of the agent's audio on the wire.
    var playoutRate: Int { get }
    /// The WebSocket subprotocol asked for (RFC 6455 1.9), if any.
    var subprotocol: String? { get }
    /// Whether the agent takes the call with a message (`AgentCommands.accept`); else it does by letting itself be reached.
    var acceptsByMessage: Bool { get }
    /// Whether the agent takes the caller's Opus packets as they came: `packet` is said in place of `audio`.
    var takesCallerPackets: Bool { get }
    /// Whether the agent's sound is Opus packets that are sent as they are (`AgentCommands.play(packet:samples:)`).
    var sendsPackets: Bool { get }
    /// How long an agent whose socket broke may take to come back to the call; nil where it cannot.
    var resumptionWindow: TimeAmount? { get }
    /// How long after `stop` the agent may take to close by itself.
    var closeDelay: TimeAmount { get }
    /// An agent that reads nothing for so long is given up; nil: its audio is dropped for ever.
    var stallLimit: TimeAmount? { get }

    /// Said once, as soon as the socket is up.
    func opening(_ call: AgentCallInfo, to transport: any AgentTransport)
    /// The socket is gone; the agent may come back to its call.
    func broke()
    /// Said in place of `opening` on a new socket of a call that the agent already had.
    func resuming(_ playout: PlayoutPosition, to transport: any AgentTransport)
    /// 20 ms of the caller's sound at `rate`; `position` is its first sample on the gap-free stream.
    func audio(_ samples: UnsafeBufferPointer<Int16>, position: Int64, to transport: any AgentTransport)
    /// The same, of sound of which part was made up by a decoder in place of packets that were lost.
    func concealedAudio(_ samples: UnsafeBufferPointer<Int16>, position: Int64, to transport: any AgentTransport)
    /// A packet of the caller.
    func packet(_ packet: CallerPacket, to transport: any AgentTransport)
    /// In place of `packet` where the agent does not read.
    func dropped(_ packet: CallerPacket, to transport: any AgentTransport)
    /// In place of `audio` where the agent does not read.
    func dropped(_ samples: UnsafeBufferPointer<Int16>, position: Int64, to transport: any AgentTransport)
    /// The gateway stood still, and what the caller said meanwhile is gone: these samples of the gap-free stream never come.
    func lost(_ positions: Range<Int64>, to transport: any AgentTransport)
    /// The call is answered, and the caller hears the agent.
    func joined(to transport: any AgentTransport)
    /// The caller pressed a key.
    func digit(_ digit: Digit, to transport: any AgentTransport)
    /// A mark was reached.
    func mark(_ name: String, to transport: any AgentTransport)
    /// The agent's speech was cut off; marks that waited behind the sound are reached by it, unless the dialect says otherwise.
    func cleared(_ cut: PlayoutCut, to transport: any AgentTransport)
    /// The caller began or stopped to speak; `position` on the gap-free stream. Said after `cleared` where it was cut off by that.
    func speech(_ speech: CallerSpeech, to transport: any AgentTransport)
    /// What became of a transfer that the agent asked for.
    func transfer(_ progress: AgentTransferProgress, to transport: any AgentTransport)
    /// From here on the sound is of somebody else while the caller waits, or of the caller again.
    func consult(_ isConsulting: Bool, to transport: any AgentTransport)
    /// The caller's phone holds the call, or went on.
    func caller(_ state: CallerState, to transport: any AgentTransport)
    /// A text from the caller's side, beside the sound.
    func message(_ message: CallMessage, to transport: any AgentTransport)
    /// A text of the agent's was not taken by the phone.
    func messageRefused(_ reference: Int64, status: Int, to transport: any AgentTransport)
    /// Whether `slot` is told.
    var wantsSlots: Bool { get }
    /// Every 20 ms while the agent has the call, before that slot's marks.
    func slot(_ playout: PlayoutPosition, call: AgentSlotFigures, to transport: any AgentTransport)
    /// Whether `quality` is told.
    var wantsQuality: Bool { get }
    /// Every five seconds.
    func quality(_ quality: CallerQuality, to transport: any AgentTransport)
    /// The call is over.
    func stop(_ end: CallEnd, to transport: any AgentTransport)

    /// Understands one text message of the agent.
    func receive(_ text: ByteBuffer, for session: any AgentCommands)
    /// Understands one binary message of the agent.
    func receive(binary: ByteBuffer, for session: any AgentCommands)
}

extension AgentDialect {
    var playoutRate: Int { rate }
    var acceptsByMessage: Bool { false }
    var takesCallerPackets: Bool { false }
    var sendsPackets: Bool { false }
    var resumptionWindow: TimeAmount? { nil }
    /// A Python backend was overtaken by an immediate Close (AGENT-PROTOCOLS section 3).
    var closeDelay: TimeAmount { .milliseconds(250) }
    var stallLimit: TimeAmount? { nil }
    var wantsSlots: Bool { false }
    var wantsQuality: Bool { false }

    func broke() {}
    func resuming(_ playout: PlayoutPosition, to transport: any AgentTransport) {}
    func dropped(_ samples: UnsafeBufferPointer<Int16>, position: Int64, to transport: any AgentTransport) {}
    func concealedAudio(_ samples: UnsafeBufferPointer<Int16>, position: Int64, to transport: any AgentTransport) {
        audio(samples, position: position, to: transport)
    }
    func lost(_ positions: Range<Int64>, to transport: any AgentTransport) {}
    func packet(_ packet: CallerPacket, to transport: any AgentTransport) {}
    func dropped(_ packet: CallerPacket, to transport: any AgentTransport) {}
    func joined(to transport: any AgentTransport) {}
    func quality(_ quality: CallerQuality, to transport: any AgentTransport) {}
    func cleared(_ cut: PlayoutCut, to transport: any AgentTransport) {
        for name in cut.marks { mark(name, to: transport) }
    }
    func speech(_ speech: CallerSpeech, to transport: any AgentTransport) {}
    func transfer(_ progress: AgentTransferProgress, to transport: any AgentTransport) {}
    func messageRefused(_ reference: Int64, status: Int, to transport: any AgentTransport) {}
    func consult(_ isConsulting: Bool, to transport: any AgentTransport) {}
    func caller(_ state: CallerState, to transport: any AgentTransport) {}
    func message(_ message: CallMessage, to transport: any AgentTransport) {}
    func slot(_ playout: PlayoutPosition, call: AgentSlotFigures, to transport: any AgentTransport) {}

    func receive(binary: ByteBuffer, for session: any AgentCommands) {
        session.misunderstood("a binary message")
    }
}
