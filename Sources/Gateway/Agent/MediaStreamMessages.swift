import NIOCore
import Transcode

/// What Twilio's Media Streams and those modelled on it have in common: messages `media`, `mark` and `clear` from the agent, and
/// sound as mu-law in base64, 8000 samples a second. A dialect holds one and adds its own names and envelope.
final class MediaStreamMessages {
    static let rate = 8000

    /// What each mu-law byte sounds like.
    private let linear = SampleBuffer(capacity: 256)
    private let encoded = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 * 160, alignment: 8)

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

    /// Bytes that `write` needs for so many samples.
    static func length(of samples: Int) -> Int { Base64.encodedLength(samples) }

    /// Appends the sound, between quotes that the caller writes.
    func write(_ samples: UnsafeBufferPointer<Int16>, to message: inout ByteBuffer) {
        let count = G711.encode(samples, into: encoded, law: .mu)
        message.writeWithUnsafeMutableBytes(minimumWritableBytes: Base64.encodedLength(count)) { target in
            Base64.encode(UnsafeRawBufferPointer(rebasing: encoded[0..<count]), into: target)
            return Base64.encodedLength(count)
        }
    }

    /// Appends a JSON object of texts, in the order of their names.
    static func write(_ parameters: [String: String], to message: inout ByteBuffer) {
        message.writeStaticString("{")
        for (place, (name, value)) in parameters.sorted(by: { $0.key < $1.key }).enumerated() {
            if place > 0 { message.writeStaticString(",") }
            JSONBytes.write(name, to: &message)
            message.writeStaticString(":")
            JSONBytes.write(value, to: &message)
        }
        message.writeStaticString("}")
    }

    // MARK: From the agent

    /// What is looked for in a message; ranges of its bytes.
    private struct Fields {
        var event: UnsafeRawBufferPointer?
        var payload: UnsafeRawBufferPointer?
        var markName: UnsafeRawBufferPointer?
        var streamID: UnsafeRawBufferPointer?
    }

    /// Understands one message.
    /// - Parameter streamID: the name that this call's stream has, and the key it stands under where an agent repeats it
    func receive(_ text: ByteBuffer, streamID: (key: StaticString, value: String), for session: any AgentCommands) {
        text.withUnsafeReadableBytes { bytes in
            var fields = Fields()
            let isObject = JSONScanner.scan(bytes) { leaf in
                guard leaf.isString else { return }
                switch leaf.inner {
                case nil where leaf.outer.isText("event"): fields.event = leaf.value
                case nil where leaf.outer.isText(streamID.key): fields.streamID = leaf.value
                case let name? where leaf.outer.isText("media") && name.isText("payload"): fields.payload = leaf.value
                case let name? where leaf.outer.isText("mark") && name.isText("name"): fields.markName = leaf.value
                default: break
                }
            }
            guard isObject, let event = fields.event else { return session.misunderstood("no JSON object with an event") }
            if let other = fields.streamID, !other.elementsEqual(streamID.value.utf8) {
                return session.misunderstood("a \(streamID.key) of another stream")
            }
            perform(event, fields, for: session)
        }
    }

    private func perform(_ event: UnsafeRawBufferPointer, _ fields: Fields, for session: any AgentCommands) {
        if event.isText("media") {
            guard let payload = fields.payload, let count = Base64.decodedLength(payload) else {
                return session.misunderstood("media without a base64 payload")
            }
            let table = UnsafeBufferPointer(linear.samples)
            session.play(count) { Base64.decode(payload, through: table, into: $0) }
        } else if event.isText("mark") {
            guard let name = fields.markName else { return session.misunderstood("mark without a name") }
            session.mark(JSONBytes.unescaped(name))
        } else if event.isText("clear") {
            session.clear()
        } else {
            session.misunderstood("unknown event \(JSONBytes.unescaped(event).prefix(40))")
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether these bytes are exactly `text`.
    func isText(_ text: StaticString) -> Bool {
        elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
