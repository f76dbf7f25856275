import NIOCore

/// Telnyx media streaming, the calling side, bidirectional: like Twilio's Media Streams with names of its own (`stream_id`, snake
/// case, the numbers in `start`). Sound is PCMU in base64.
final class TelnyxDialect: AgentDialect {
    let rate = MediaStreamMessages.rate
    let subprotocol: String? = nil

    private var sequence: Int64 = 0
    private var chunk: Int64 = 0
    private var callID = ""
    private let messages = MediaStreamMessages()

    /// Bytes of a media message beside its payload, with room for long numbers.
    private static let envelope = 256

    // MARK: To the agent

    func opening(_ call: AgentCallInfo, to transport: any AgentTransport) {
        callID = "\(call.call)"
        var connected = transport.makeBuffer(capacity: 64)
        connected.writeStaticString("{\"event\":\"connected\",\"version\":\"1.0.0\"}")
        transport.send(text: connected)

        var start = begin("start", transport, capacity: 1024)
        start.writeStaticString(",\"start\":{\"user_id\":")
        JSONBytes.write(call.account, to: &start)
        start.writeString(#","call_control_id":"\#(callID)","call_session_id":"\#(callID)","from":"#)
        JSONBytes.write(call.from, to: &start)
        start.writeStaticString(",\"to\":")
        JSONBytes.write(call.to, to: &start)
        start.writeStaticString(",\"custom_parameters\":")
        MediaStreamMessages.write(call.namedParameters, to: &start)
        start.writeStaticString(",\"media_format\":{\"encoding\":\"PCMU\",\"sample_rate\":8000,\"channels\":1}}")
        finish(&start, transport)
    }

    func audio(_ samples: UnsafeBufferPointer<Int16>, position: Int64, to transport: any AgentTransport) {
        chunk += 1
        var message = begin("media", transport, capacity: MediaStreamMessages.length(of: samples.count) + Self.envelope)
        message.writeStaticString(",\"media\":{\"track\":\"inbound\",\"chunk\":\"")
        JSONBytes.write(chunk, to: &message)
        message.writeStaticString("\",\"timestamp\":\"")
        JSONBytes.write(position * 1000 / Int64(rate), to: &message)
        message.writeStaticString("\",\"payload\":\"")
        messages.write(samples, to: &message)
        message.writeStaticString("\"}")
        finish(&message, transport)
    }

    func digit(_ digit: Digit, to transport: any AgentTransport) {
        var message = begin("dtmf", transport, capacity: Self.envelope)
        message.writeString(#","dtmf":{"digit":"\#(digit.character)"}"#)
        finish(&message, transport)
    }

    func mark(_ name: String, to transport: any AgentTransport) {
        var message = begin("mark", transport, capacity: Self.envelope + name.utf8.count)
        message.writeStaticString(",\"mark\":{\"name\":")
        JSONBytes.write(name, to: &message)
        message.writeStaticString("}")
        finish(&message, transport)
    }

    func stop(_ end: CallEnd, to transport: any AgentTransport) {
        var message = begin("stop", transport, capacity: Self.envelope)
        message.writeString(#","stop":{"call_control_id":"\#(callID)"}"#)
        finish(&message, transport)
    }

    private func begin(_ event: StaticString, _ transport: any AgentTransport, capacity: Int) -> ByteBuffer {
        sequence += 1
        var message = transport.makeBuffer(capacity: capacity)
        message.writeStaticString("{\"event\":\"")
        message.writeStaticString(event)
        message.writeStaticString("\",\"sequence_number\":\"")
        JSONBytes.write(sequence, to: &message)
        message.writeStaticString("\"")
        return message
    }

    private func finish(_ message: inout ByteBuffer, _ transport: any AgentTransport) {
        message.writeStaticString(",\"stream_id\":\"")
        message.writeString(callID)
        message.writeStaticString("\"}")
        transport.send(text: message)
    }

    // MARK: From the agent

    func receive(_ text: ByteBuffer, for session: any AgentCommands) {
        messages.receive(text, streamID: ("stream_id", callID), for: session)
    }
}
