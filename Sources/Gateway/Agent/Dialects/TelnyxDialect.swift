import NIOCore

/// Telnyx media streaming, the calling side, bidirectional: like Twilio's Media Streams with names of its own (`stream_id`, snake
/// case, the numbers in `start`). Sound is PCMU in base64.
final class TelnyxDialect: AgentDialect {
    let rate = MediaStreamMessages.rate
    let subprotocol: String? = nil

    private var callID = ""
    private let messages = MediaStreamMessages(sequenceKey: "sequence_number", streamKey: "stream_id")

    // MARK: To the agent

    func opening(_ call: AgentCallInfo, to transport: any AgentTransport) {
        callID = "\(call.call)"
        messages.streamID = callID
        var connected = transport.makeBuffer(capacity: 64)
        connected.writeStaticString("{\"event\":\"connected\",\"version\":\"1.0.0\"}")
        transport.send(text: connected)

        var start = messages.begin("start", transport, capacity: 1024)
        start.writeStaticString(",\"start\":{\"user_id\":")
        JSONBytes.write(call.account, to: &start)
        start.writeString(#","call_control_id":"\#(callID)","call_session_id":"\#(callID)","from":"#)
        JSONBytes.write(call.from, to: &start)
        start.writeStaticString(",\"to\":")
        JSONBytes.write(call.to, to: &start)
        start.writeStaticString(",\"custom_parameters\":")
        MediaStreamMessages.write(call.namedParameters, to: &start)
        start.writeStaticString(",\"media_format\":{\"encoding\":\"PCMU\",\"sample_rate\":8000,\"channels\":1}}")
        messages.finish(&start, transport)
    }

    func audio(_ samples: UnsafeBufferPointer<Int16>, position: Int64, to transport: any AgentTransport) {
        messages.sendMedia(samples, timestamp: position * 1000 / Int64(rate), to: transport)
    }

    func digit(_ digit: Digit, to transport: any AgentTransport) {
        var message = messages.begin("dtmf", transport)
        message.writeString(#","dtmf":{"digit":"\#(digit.character)"}"#)
        messages.finish(&message, transport)
    }

    func mark(_ name: String, to transport: any AgentTransport) { messages.sendMark(name, to: transport) }

    func stop(_ end: CallEnd, to transport: any AgentTransport) {
        var message = messages.begin("stop", transport)
        message.writeString(#","stop":{"call_control_id":"\#(callID)"}"#)
        messages.finish(&message, transport)
    }

    // MARK: From the agent

    func receive(_ text: ByteBuffer, for session: any AgentCommands) { messages.receive(text, for: session) }
}
