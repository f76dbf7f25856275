import NIOCore
import Transcode

/// Twilio Media Streams, the calling side, bidirectional (`<Connect><Stream>`): JSON text messages with base64 mu-law at 8 kHz.
///
/// Order and types as clients of it expect them: `connected`, `start`, nothing between or before; `sequenceNumber`, `chunk` and
/// `timestamp` are decimal strings from 1 (AGENT-PROTOCOLS section 3).
final class TwilioDialect: AgentDialect {
    let rate = 8000
    let subprotocol: String? = nil

    private var sequence: Int64 = 0
    private var chunk: Int64 = 0
    private var streamID = ""
    private var callID = ""
    private var account = ""
    /// What each mu-law byte sounds like.
    private let linear = SampleBuffer(capacity: 256)
    private let encoded = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 * 160, alignment: 8)

    /// The account where the configuration names none.
    static let defaultAccount = "AC" + String(repeating: "0", count: 32)
    /// Bytes of a media message beside its payload, with room for long numbers.
    private static let envelope = 256

    init() {
        for byte in 0..<256 {
            withUnsafeBytes(of: UInt8(byte)) { source in
                let target = UnsafeMutableBufferPointer(rebasing: linear.samples[byte...byte])
                _ = G711.decode(source, into: target, law: .mu)
            }
        }
    }

    deinit { encoded.deallocate() }

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
        start.writeString(#""mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":{"#)
        var parameters = call.parameters
        parameters["from_number"] = call.from
        parameters["to_number"] = call.to
        for (place, (name, value)) in parameters.sorted(by: { $0.key < $1.key }).enumerated() {
            if place > 0 { start.writeString(",") }
            JSONBytes.write(name, to: &start)
            start.writeString(":")
            JSONBytes.write(value, to: &start)
        }
        start.writeString("}}")
        finish(&start, transport)
    }

    func audio(_ samples: UnsafeBufferPointer<Int16>, position: Int64, to transport: any AgentTransport) {
        chunk += 1
        let count = G711.encode(samples, into: encoded, law: .mu)
        var message = begin("media", transport, capacity: Base64.encodedLength(count) + Self.envelope)
        message.writeStaticString(",\"media\":{\"track\":\"inbound\",\"chunk\":\"")
        JSONBytes.write(chunk, to: &message)
        message.writeStaticString("\",\"timestamp\":\"")
        JSONBytes.write(position * 1000 / Int64(rate) + 1, to: &message)
        message.writeStaticString("\",\"payload\":\"")
        message.writeWithUnsafeMutableBytes(minimumWritableBytes: Base64.encodedLength(count)) { target in
            Base64.encode(UnsafeRawBufferPointer(rebasing: encoded[0..<count]), into: target)
            return Base64.encodedLength(count)
        }
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

    /// What is looked for in a message; ranges of its bytes.
    private struct Fields {
        var event: UnsafeRawBufferPointer?
        var payload: UnsafeRawBufferPointer?
        var markName: UnsafeRawBufferPointer?
        var streamID: UnsafeRawBufferPointer?
    }

    func receive(_ text: ByteBuffer, for session: any AgentCommands) {
        text.withUnsafeReadableBytes { bytes in
            var fields = Fields()
            let isObject = JSONScanner.scan(bytes) { leaf in
                guard leaf.isString else { return }
                switch leaf.inner {
                case nil where leaf.outer.isText("event"): fields.event = leaf.value
                case nil where leaf.outer.isText("streamSid"): fields.streamID = leaf.value
                case let name? where leaf.outer.isText("media") && name.isText("payload"): fields.payload = leaf.value
                case let name? where leaf.outer.isText("mark") && name.isText("name"): fields.markName = leaf.value
                default: break
                }
            }
            guard isObject, let event = fields.event else { return session.misunderstood("no JSON object with an event") }
            perform(event, fields, for: session)
        }
    }

    private func perform(_ event: UnsafeRawBufferPointer, _ fields: Fields, for session: any AgentCommands) {
        if let other = fields.streamID, !other.isText(streamID) {
            return session.misunderstood("a streamSid of another stream")
        }
        if event.isText("media") {
            guard let payload = fields.payload, let count = Base64.decodedLength(payload) else {
                return session.misunderstood("media without a base64 payload")
            }
            play(payload, count: count, for: session)
        } else if event.isText("mark") {
            guard let name = fields.markName else { return session.misunderstood("mark without a name") }
            session.mark(JSONBytes.unescaped(name))
        } else if event.isText("clear") {
            session.clear()
        } else {
            session.misunderstood("unknown event \(JSONBytes.unescaped(event).prefix(40))")
        }
    }

    private func play(_ payload: UnsafeRawBufferPointer, count: Int, for session: any AgentCommands) {
        let table = UnsafeBufferPointer(linear.samples)
        session.play(count) { Base64.decode(payload, through: table, into: $0) }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether these bytes are exactly `text`.
    fileprivate func isText(_ text: String) -> Bool { elementsEqual(text.utf8) }
}
