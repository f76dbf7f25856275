import NIOCore

/// Vonage's Voice WebSocket, the calling side: sound as binary messages of 16-bit samples (L16, little-endian, 16 kHz), everything
/// else as JSON texts. The cheapest way to give an existing agent wideband sound.
final class VonageDialect: AgentDialect {
    let rate = 16_000
    let subprotocol: String? = nil

    /// Milliseconds told of a key, which is passed on when it is pressed.
    private static let keyDuration: Int64 = 100

    // MARK: To the agent

    /// The parameters stand beside the event's own fields, as the headers of a Vonage endpoint do; they cannot replace those.
    func opening(_ call: AgentCallInfo, to transport: any AgentTransport) {
        var message = transport.makeBuffer(capacity: 512)
        message.writeStaticString("{\"event\":\"websocket:connected\",\"content-type\":\"audio/l16;rate=16000\"")
        for (name, value) in call.namedParameters.sorted(by: { $0.key < $1.key }) where name != "event" && name != "content-type" {
            message.writeStaticString(",")
            JSONBytes.write(name, to: &message)
            message.writeStaticString(":")
            JSONBytes.write(value, to: &message)
        }
        message.writeStaticString("}")
        transport.send(text: message)
    }

    func audio(_ samples: UnsafeBufferPointer<Int16>, position: Int64, to transport: any AgentTransport) {
        transport.send(.binary, atMost: samples.count * 2) { memory in
            var pen = MessagePen(memory)
            pen.write(samples)
            return pen.count
        }
    }

    func digit(_ digit: Digit, to transport: any AgentTransport) {
        var message = transport.makeBuffer(capacity: 96)
        message.writeString(#"{"event":"websocket:dtmf","digit":"\#(digit.character)","duration":\#(Self.keyDuration)}"#)
        transport.send(text: message)
    }

    /// - Parameter name: the payload of the agent's `notify`, JSON as it came.
    func mark(_ name: String, to transport: any AgentTransport) {
        var message = transport.makeBuffer(capacity: 64 + name.utf8.count)
        message.writeStaticString("{\"event\":\"websocket:notify\",\"payload\":")
        message.writeString(name)
        message.writeStaticString("}")
        transport.send(text: message)
    }

    /// What waited to be notified of was not played, and is not notified.
    func cleared(_ cut: PlayoutCut, to transport: any AgentTransport) {
        var message = transport.makeBuffer(capacity: 64)
        message.writeStaticString("{\"event\":\"websocket:cleared\"}")
        transport.send(text: message)
    }

    /// Nothing is said; the socket closes.
    func stop(_ end: CallEnd, to transport: any AgentTransport) {}

    // MARK: From the agent

    func receive(binary: ByteBuffer, for session: any AgentCommands) {
        binary.withUnsafeReadableBytes { bytes in
            guard bytes.count.isMultiple(of: 2) else { return session.misunderstood("half a sample") }
            session.play(bytes.count / 2) { target in
                for index in target.indices {
                    target[index] = Int16(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: Int16.self))
                }
            }
        }
    }

    func receive(_ text: ByteBuffer, for session: any AgentCommands) {
        text.withUnsafeReadableBytes { bytes in
            var action: UnsafeRawBufferPointer?
            var payload: String?
            let isObject = JSONScanner.scan(bytes) { leaf in
                guard leaf.inner == nil else { return }
                if leaf.outer.isText("action"), leaf.isString { action = leaf.value }
                if leaf.outer.isText("payload") {
                    let raw = String(decoding: leaf.value, as: UTF8.self)
                    payload = leaf.isString ? "\"\(raw)\"" : raw
                }
            }
            guard isObject, let action else { return session.misunderstood("no JSON object with an action") }
            if action.isText("clear") {
                session.clear()
            } else if action.isText("notify") {
                session.mark(payload ?? "null")
            } else {
                session.misunderstood("unknown action \(JSONBytes.unescaped(action).prefix(40))")
            }
        }
    }
}
