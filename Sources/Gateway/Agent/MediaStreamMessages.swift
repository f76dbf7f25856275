import Glibc
import NIOCore
import Transcode

/// What Twilio's Media Streams and those modelled on it have in common: numbered JSON texts that name their stream, messages `media`
/// and `mark` both ways, `clear` from the agent, and sound as mu-law in base64, 8000 samples a second. A dialect holds one, with its
/// own names for the number and the stream, and writes the messages that differ.
final class MediaStreamMessages {
    static let rate = 8000
    /// Bytes of a message beside its payload, with room for long numbers.
    static let envelope = 256

    /// As the agent is told it, and repeats it.
    var streamID = "" {
        didSet { tail = Self.tail(streamKey, streamID) }
    }
    /// How a message with sound ends.
    private var tail: [UInt8]
    private let sequenceKey: StaticString
    private let streamKey: StaticString
    private var sequence: Int64 = 0
    private var chunk: Int64 = 0

    /// Of the agent's messages with sound.
    private let shape = MessageShape()

    /// What each mu-law byte sounds like. One table for all calls, so that it stays in the cache.
    private static let linear: [Int16] = [Int16](unsafeUninitializedCapacity: 256) { samples, count in
        count = (0..<256).map { UInt8($0) }.withUnsafeBytes { G711.decode($0, into: samples, law: .mu) }
    }

    /// - Parameters:
    ///   - sequenceKey: what a message's number stands under
    ///   - streamKey: what the stream's name stands under
    init(sequenceKey: StaticString, streamKey: StaticString) {
        self.sequenceKey = sequenceKey
        self.streamKey = streamKey
        tail = Self.tail(streamKey, "")
    }

    private static func tail(_ streamKey: StaticString, _ streamID: String) -> [UInt8] {
        Array("\"},\"\(streamKey)\":\"\(streamID)\"}".utf8)
    }

    // MARK: To the agent

    /// The beginning of the next message, up to where its own members follow.
    func begin(_ event: StaticString, _ transport: any AgentTransport, capacity: Int = MediaStreamMessages.envelope) -> ByteBuffer {
        sequence += 1
        var message = transport.makeBuffer(capacity: capacity)
        message.writeStaticString("{\"event\":\"")
        message.writeStaticString(event)
        message.writeStaticString("\",\"")
        message.writeStaticString(sequenceKey)
        message.writeStaticString("\":\"")
        JSONBytes.write(sequence, to: &message)
        message.writeStaticString("\"")
        return message
    }

    /// Ends a message with the stream's name, and sends it.
    func finish(_ message: inout ByteBuffer, _ transport: any AgentTransport) {
        message.writeStaticString(",\"")
        message.writeStaticString(streamKey)
        message.writeStaticString("\":\"")
        message.writeString(streamID)
        message.writeStaticString("\"}")
        transport.send(text: message)
    }

    /// Sends 20 ms of the caller's sound.
    /// - Parameter timestamp: milliseconds, as the dialect counts them
    func sendMedia(_ samples: UnsafeBufferPointer<Int16>, timestamp: Int64, to transport: any AgentTransport) {
        chunk += 1
        sequence += 1
        transport.send(.text, atMost: Base64.encodedLength(samples.count) + Self.envelope + tail.count) { memory in
            var pen = MessagePen(memory)
            pen.write("{\"event\":\"media\",\"")
            pen.write(sequenceKey)
            pen.write("\":\"")
            pen.write(sequence)
            pen.write("\",\"media\":{\"track\":\"inbound\",\"chunk\":\"")
            pen.write(chunk)
            pen.write("\",\"timestamp\":\"")
            pen.write(timestamp)
            pen.write("\",\"payload\":\"")
            // Room for 80 ms; a frame is 20 ms.
            withUnsafeTemporaryAllocation(byteCount: 640, alignment: 8) { encoded in
                let count = G711.encode(samples, into: encoded, law: .mu)
                pen.writeBase64(UnsafeRawBufferPointer(rebasing: encoded[0..<count]))
            }
            tail.withUnsafeBytes { pen.write($0) }
            return pen.count
        }
    }

    /// Says that a mark was reached, or cleared.
    func sendMark(_ name: String, to transport: any AgentTransport) {
        var message = begin("mark", transport, capacity: Self.envelope + name.utf8.count)
        message.writeStaticString(",\"mark\":{\"name\":")
        JSONBytes.write(name, to: &message)
        message.writeStaticString("}")
        finish(&message, transport)
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
    func receive(_ text: ByteBuffer, for session: any AgentCommands) {
        text.withUnsafeReadableBytes { bytes in
            if playLikeLast(bytes, for: session) { return }
            var fields = Fields()
            let isObject = JSONScanner.scan(bytes) { leaf in
                guard leaf.isString else { return }
                switch leaf.inner {
                case nil where leaf.outer.isText("event"): fields.event = leaf.value
                case nil where leaf.outer.isText(streamKey): fields.streamID = leaf.value
                case let name? where leaf.outer.isText("media") && name.isText("payload"): fields.payload = leaf.value
                case let name? where leaf.outer.isText("mark") && name.isText("name"): fields.markName = leaf.value
                default: break
                }
            }
            guard isObject, let event = fields.event else { return session.misunderstood("no JSON object with an event") }
            if let other = fields.streamID, !isOurs(other) {
                return session.misunderstood("a \(streamKey) of another stream")
            }
            if event.isText("media"), let payload = fields.payload { shape.take(bytes, around: payload, keeping: fields.streamID) }
            perform(event, fields, for: session)
        }
    }

    /// Plays the sound of a message that differs from the last one in nothing else that matters, without a reading of its JSON.
    /// - Returns: false for any other, with which nothing was done
    private func playLikeLast(_ message: UnsafeRawBufferPointer, for session: any AgentCommands) -> Bool {
        guard message.count <= Self.longestLike, let start = shape.start(of: message) else { return false }
        // As much as the compiler puts on the stack without asking.
        return withUnsafeTemporaryAllocation(of: Int16.self, capacity: 512) { samples in
            let text = UnsafeRawBufferPointer(rebasing: message[start...])
            let decoded = Self.linear.withUnsafeBufferPointer { Base64.decodePrefix(of: text, through: $0, into: samples) }
            guard let decoded, shape.ends(message, at: start + decoded.characters) else { return false }
            session.play(decoded.samples) { target in
                guard let base = target.baseAddress, let source = samples.baseAddress else { return }
                base.update(from: source, count: min(target.count, decoded.samples))
            }
            return true
        }
    }

    /// Bytes of a message that may be like the last one; of longer ones the reading is the smaller part.
    private static let longestLike = 1200

    private func isOurs(_ streamID: UnsafeRawBufferPointer) -> Bool {
        streamID.elementsEqual(self.streamID.utf8)
    }

    private func perform(_ event: UnsafeRawBufferPointer, _ fields: Fields, for session: any AgentCommands) {
        if event.isText("media") {
            guard let payload = fields.payload else { return session.misunderstood("media without a payload") }
            Base64.resolvingEscapes(in: payload) { play($0, for: session) }
        } else if event.isText("mark") {
            guard let name = fields.markName else { return session.misunderstood("mark without a name") }
            session.mark(JSONBytes.unescaped(name))
        } else if event.isText("clear") {
            session.clear()
        } else {
            session.misunderstood("unknown event \(JSONBytes.unescaped(event).prefix(40))")
        }
    }

    private func play(_ payload: UnsafeRawBufferPointer, for session: any AgentCommands) {
        guard let count = Base64.decodedLength(payload) else { return session.misunderstood("media without a base64 payload") }
        session.play(count) { target in Self.linear.withUnsafeBufferPointer { Base64.decode(payload, through: $0, into: target) } }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether these bytes are exactly `text`.
    func isText(_ text: StaticString) -> Bool {
        isText(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    func isText(_ text: UnsafeRawBufferPointer) -> Bool {
        guard count == text.count else { return false }
        guard let ours = baseAddress, let theirs = text.baseAddress else { return true }
        return memcmp(ours, theirs, count) == 0
    }
}
