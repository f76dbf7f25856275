import NIOCore

/// Twilio Media Streams, the calling side, bidirectional (`<Connect><Stream>`): JSON text messages with base64 mu-law at 8 kHz.
///
/// Order and types as clients of it expect them: `connected`, `start`, nothing between or before; `sequenceNumber`, `chunk` and
/// `timestamp` are decimal strings from 1 (AGENT-PROTOCOLS section 3).
final class TwilioDialect: AgentDialect {
    let rate = MediaStreamMessages.rate
    let subprotocol: String? = nil

    private var sequence: Int64 = 0
    private var chunk: Int64 = 0
    private var streamID = ""
    private var callID = ""
    private var account = ""
    private let messages = MediaStreamMessages()

    /// The account where the configuration names none.
    static let defaultAccount = "AC" + String(repeating: "0", count: 32)
    /// Bytes of a media message beside its payload, with room for long numbers.
    private static let envelope = 256

    // MARK: To the agent

    func opening(_ call: AgentCallInfo, to transport: any AgentTransport) {
        streamID = "MZ\(call.call)"
        callID = "CA\(call.call)"
        account = call.account
        var connected = transport.makeBuffer(capacity: 96)
        connected.writeString(#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#)
        transport.send(text: connected)

        var start = begin("start", transport, capacity: 1024)
        start.writeString(#","start":{"accountSid":"#)
        JSONBytes.write(account, to: &start)
        start.writeString(#","streamSid":"\#(streamID)","callSid":"\#(callID)","tracks":["inbound"],"#)
        start.writeString(#""mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":"#)
        MediaStreamMessages.write(call.namedParameters, to: &start)
        start.writeString("}")
        finish(&start, transport)
    }

    func audio(_ samples: UnsafeBufferPointer<Int16>, position: Int64, to transport: any AgentTransport) {
        chunk += 1
        var message = begin("media", transport, capacity: MediaStreamMessages.length(of: samples.count) + Self.envelope)
        message.writeStaticString(",\"media\":{\"track\":\"inbound\",\"chunk\":\"")
        JSONBytes.write(chunk, to: &message)
        message.writeStaticString("\",\"timestamp\":\"")
        JSONBytes.write(position * 1000 / Int64(rate) + 1, to: &message)
        message.writeStaticString("\",\"payload\":\"")
        messages.write(samples, to: &message)
        message.writeStaticString("\"}")
        finish(&message, transport)
    }

    func digit(_ digit: Digit, to transport: any AgentTransport) {
        var message = begin("dtmf", transport, capacity: Self.envelope)
        message.writeString(#","dtmf":{"track":"inbound_track","digit":"\#(digit.character)"}"#)
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
        message.writeStaticString(",\"stop\":{\"accountSid\":")
        JSONBytes.write(account, to: &message)
        message.writeString(#","callSid":"\#(callID)"}"#)
        finish(&message, transport)
    }

    private func begin(_ event: StaticString, _ transport: any AgentTransport, capacity: Int) -> ByteBuffer {
        sequence += 1
        var message = transport.makeBuffer(capacity: capacity)
        message.writeStaticString("{\"event\":\"")
        message.writeStaticString(event)
        message.writeStaticString("\",\"sequenceNumber\":\"")
        JSONBytes.write(sequence, to: &message)
        message.writeStaticString("\"")
        return message
    }

    private func finish(_ message: inout ByteBuffer, _ transport: any AgentTransport) {
        message.writeStaticString(",\"streamSid\":\"")
        message.writeString(streamID)
        message.writeStaticString("\"}")
        transport.send(text: message)
    }

    // MARK: From the agent

    func receive(_ text: ByteBuffer, for session: any AgentCommands) {
        messages.receive(text, streamID: ("streamSid", streamID), for: session)
    }
}
