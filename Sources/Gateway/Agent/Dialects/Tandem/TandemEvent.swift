import NIOCore

/// Writes one event of the gateway, field by field.
struct TandemEvent {
    private(set) var text: ByteBuffer

    init(_ name: StaticString, seq: Int64, into buffer: ByteBuffer) {
        text = buffer
        text.writeStaticString("{\"event\":\"")
        text.writeStaticString(name)
        text.writeStaticString("\",\"seq\":")
        JSONBytes.write(seq, to: &text)
    }

    mutating func field(_ name: StaticString, _ value: Int64) {
        key(name)
        JSONBytes.write(value, to: &text)
    }

    mutating func field(_ name: StaticString, _ value: String) {
        key(name)
        JSONBytes.write(value, to: &text)
    }

    mutating func field(_ name: StaticString, _ value: Bool) {
        key(name)
        text.writeString(value ? "true" : "false")
    }

    /// - Parameter json: a JSON value, as it goes on the wire
    mutating func field(_ name: StaticString, json: String) {
        key(name)
        text.writeString(json)
    }

    mutating func field(_ name: StaticString, _ list: [String]) {
        key(name)
        text.writeStaticString("[")
        for (place, value) in list.enumerated() {
            if place > 0 { text.writeStaticString(",") }
            JSONBytes.write(value, to: &text)
        }
        text.writeStaticString("]")
    }

    mutating func field(_ name: StaticString, _ object: [String: String]) {
        key(name)
        MediaStreamMessages.write(object, to: &text)
    }

    mutating func finish() -> ByteBuffer {
        text.writeStaticString("}")
        return text
    }

    private mutating func key(_ name: StaticString) {
        text.writeStaticString(",\"")
        text.writeStaticString(name)
        text.writeStaticString("\":")
    }
}
