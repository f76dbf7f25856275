import NIOCore

/// Twilio Media Streams, the calling side, bidirectional (`<Connect><Stream>`): JSON text messages with base64 mu-law at 8 kHz.
///
/// Order and types as clients of it expect them: `connected`, `start`, nothing between or before; `sequenceNumber`, `chunk` and
/// `timestamp` are decimal strings from 1 (AGENT-PROTOCOLS section 3).
final class TwilioDialect: AgentDialect {
    let rate = MediaStreamMessages.rate
    let subprotocol: String? = nil

    private var callID = ""
    private var account = ""
    private let messages = MediaStreamMessages(sequenceKey: "sequenceNumber", streamKey: "streamSid")

    /// The account where the configuration names none.
    static let defaultAccount = "AC" + String(repeating: "0", count: 32)

    // MARK: To the agent

    func opening(_ call: AgentCallInfo, to transport: any AgentTransport) {
        messages.streamID = "MZ\(call.call)"
        callID = "CA\(call.call)"
        account = call.account
        var connected = transport.makeBuffer(capacity: 96)
        connected.writeString(#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#)
        transport.send(text: connected)

        var start = messages.begin("start", transport, capacity: 1024)
        start.writeString(#","start":{"accountSid":"#)
        JSONBytes.write(account, to: &start)
        start.writeString(#","streamSid":"\#(messages.streamID)","callSid":"\#(callID)","tracks":["inbound"],"#)
        start.writeString(#""mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":"#)
        MediaStreamMessages.write(call.namedParameters, to: &start)
        start.writeString("}")
        messages.finish(&start, transport)
    }

    func audio(_ samples: UnsafeBufferPointer<Int16>, position: Int64, to transport: any AgentTransport) {
        messages.sendMedia(samples, timestamp: position * 1000 / Int64(rate) + 1, to: transport)
    }

    func digit(_ digit: Digit, to transport: any AgentTransport) {
        var message = messages.begin("dtmf", transport)
        message.writeString(#","dtmf":{"track":"inbound_track","digit":"\#(digit.character)"}"#)
        messages.finish(&message, transport)
    }

    func mark(_ name: String, to transport: any AgentTransport) { messages.sendMark(name, to: transport) }

    func stop(_ end: CallEnd, to transport: any AgentTransport) {
        var message = messages.begin("stop", transport)
        message.writeStaticString(",\"stop\":{\"accountSid\":")
        JSONBytes.write(account, to: &message)
        message.writeString(#","callSid":"\#(callID)"}"#)
        messages.finish(&message, transport)
    }

    // MARK: From the agent

    func receive(_ text: ByteBuffer, for session: any AgentCommands) { messages.receive(text, for: session) }
}
