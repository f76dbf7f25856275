import NIOCore

/// What one message of Pipecat's protobuf protocol holds (`frames.proto` of pipecat-ai): its `Frame` is one of text, audio,
/// transcription, message and interruption.
enum PipecatFrame {
    /// PCM16, little-endian; the channels' samples take turns.
    case audio(UnsafeRawBufferPointer, rate: UInt64, channels: UInt64)
    /// A JSON text.
    case message(UnsafeRawBufferPointer)
    case interruption
    /// A text or a transcription, or a kind that is newer than this file.
    case other

    private enum Kind: UInt8 {
        case audio = 2
        case message = 4
        case interruption = 5
    }

    // Of AudioRawFrame; its id, name and pts are of no use here.
    private static let sound: UInt8 = 3
    private static let sampleRate: UInt8 = 4
    private static let channelCount: UInt8 = 5
    /// Of MessageFrame.
    private static let data: UInt8 = 1

    // MARK: Reading

    /// nil for what is no `Frame`. Of several the last one counts, as the format has it.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var fields = ProtobufFields(bytes)
        var last: (field: UInt64, content: UnsafeRawBufferPointer)?
        while let (field, value) = fields.next() {
            if case .bytes(let content) = value { last = (field, content) }
        }
        guard !fields.isDamaged, let last else { return nil }
        switch UInt8(exactly: last.field).flatMap(Kind.init) {
        case .audio: self.init(audio: last.content)
        case .message: self.init(message: last.content)
        case .interruption: self = .interruption
        case nil: self = .other
        }
    }

    private init?(audio content: UnsafeRawBufferPointer) {
        var fields = ProtobufFields(content)
        var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
        var (rate, channels): (UInt64, UInt64) = (0, 0)
        while let (field, value) = fields.next() {
            switch (UInt8(exactly: field), value) {
            case (Self.sound, .bytes(let content)): bytes = content
            case (Self.sampleRate, .number(let number)): rate = number
            case (Self.channelCount, .number(let number)): channels = number
            default: break
            }
        }
        guard !fields.isDamaged else { return nil }
        self = .audio(bytes, rate: rate, channels: channels)
    }

    private init?(message content: UnsafeRawBufferPointer) {
        var fields = ProtobufFields(content)
        var text = UnsafeRawBufferPointer(start: nil, count: 0)
        while let (field, value) = fields.next() {
            if field == UInt64(Self.data), case .bytes(let content) = value { text = content }
        }
        guard !fields.isDamaged else { return nil }
        self = .message(text)
    }

    // MARK: Writing

    /// Appends one channel of sound.
    static func write(audio samples: UnsafeBufferPointer<Int16>, rate: Int, to message: inout ByteBuffer) {
        let content = ProtobufPen.length(ofBytes: samples.count * 2) + 1 + ProtobufPen.length(rate) + 2
        write(.audio, content, to: &message) { pen in
            pen.write(field: sound, bytes: samples.count * 2)
            pen.write(samples)
            pen.write(field: sampleRate, number: rate)
            pen.write(field: channelCount, number: 1)
        }
    }

    /// Appends a JSON text.
    static func write(message text: ByteBuffer, to message: inout ByteBuffer) {
        text.withUnsafeReadableBytes { bytes in
            write(.message, ProtobufPen.length(ofBytes: bytes.count), to: &message) { pen in
                pen.write(field: data, bytes: bytes.count)
                pen.write(bytes)
            }
        }
    }

    static func writeInterruption(to message: inout ByteBuffer) {
        write(.interruption, 0, to: &message) { _ in }
    }

    /// Bytes of an audio message beside its sound, at most.
    static let envelope = 24

    private static func write(_ kind: Kind, _ count: Int, to message: inout ByteBuffer, content: (inout ProtobufPen) -> Void) {
        message.writeWithUnsafeMutableBytes(minimumWritableBytes: ProtobufPen.length(ofBytes: count)) { memory in
            var pen = ProtobufPen(memory)
            pen.write(field: kind.rawValue, bytes: count)
            content(&pen)
            return pen.count
        }
    }
}
