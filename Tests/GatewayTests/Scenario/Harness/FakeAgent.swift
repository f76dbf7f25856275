import Foundation
import NIOCore
import Transcode

@testable import Gateway

/// An agent of the Twilio dialect at the other end of a WebSocket in memory.
///
/// It writes down what it is told, and says what the test wants: bursts, paced speech, marks, clear, nonsense, Close.
final class FakeAgent: AgentTransport {
    enum Answer {
        case after(TimeAmount)
        case refuse
        case never
    }

    /// One message as it came, with what an observer can tell about its shape.
    struct Message {
        var event: String
        /// Every key path with its JSON type, sorted.
        var shape: [String]
        var at: NIODeadline
    }

    let name: String
    var answer = Answer.after(.zero)
    /// False: the socket takes no more, as one whose agent does not read.
    var isWritable = true
    /// Paced speech: 20 ms at a time in real time.
    private var paced: ArraySlice<UInt8> = []
    /// Parts per million by which the agent's clock runs fast.
    var clockError = 0.0
    private var nextPace: NIODeadline

    private(set) var messages: [Message] = []
    /// All caller audio, 8 kHz.
    private(set) var audio: [Int16] = []
    /// Of each media message: the timestamp it carries, and when it came.
    private(set) var media: [(timestamp: Int, chunk: Int, at: NIODeadline)] = []
    private(set) var digits: [(digit: String, at: NIODeadline)] = []
    private(set) var marks: [(name: String, at: NIODeadline)] = []
    private(set) var sequenceNumbers: [Int] = []
    /// Only counts caller audio, for long runs.
    var isBrief = false
    private(set) var mediaCount = 0
    private static let mediaPrefix = Array(#"{"event":"media""#.utf8)
    private(set) var parameters: [String: String] = [:]
    private(set) var closeCode: UInt16?
    private(set) var isUp = false
    private weak var delegate: (any AgentTransportDelegate)?
    private var openAt: NIODeadline?
    private var now: NIODeadline
    private var closing: NIODeadline?
    private var streamID = ""
    private var encoded = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 8)

    init(name: String, now: NIODeadline) {
        self.name = name
        self.now = now
        nextPace = now
    }

    deinit { encoded.deallocate() }

    var events: [String] { messages.map(\.event) }

    // MARK: AgentTransport

    func open(delegate: any AgentTransportDelegate) {
        self.delegate = delegate
        switch answer {
        case .after(let delay): openAt = now + delay
        case .refuse: openAt = now
        case .never: break
        }
    }

    func makeBuffer(capacity: Int) -> ByteBuffer { ByteBufferAllocator().buffer(capacity: capacity) }

    func send(text: ByteBuffer) {
        if isBrief, text.readableBytesView.starts(with: Self.mediaPrefix) {
            mediaCount += 1
        } else {
            understand(Data(text.readableBytesView))
        }
    }

    func send(binary: ByteBuffer) { messages.append(Message(event: "binary", shape: [], at: now)) }

    func close(code: UInt16) {
        closeCode = code
        openAt = nil
        if isUp { closing = now + .milliseconds(1) }
        isUp = false
    }

    // MARK: Time

    func step(now: NIODeadline) {
        self.now = now
        if let openAt, openAt <= now { opened() }
        if let closing, closing <= now {
            self.closing = nil
            delegate?.transportClosed(code: closeCode, reason: "closed", now: now)
        }
        guard isUp else { return }
        while !paced.isEmpty, nextPace <= now {
            sendMedia(paced.prefix(160))
            paced = paced.dropFirst(160)
            nextPace = nextPace + .nanoseconds(Int64(20_000_000 / (1 + clockError * 1e-6)))
        }
    }

    private func opened() {
        openAt = nil
        if case .refuse = answer {
            delegate?.transportClosed(code: nil, reason: "connection refused", now: now)
            return
        }
        isUp = true
        delegate?.transportOpened(now: now)
    }

    // MARK: What the agent says

    /// A message with all these samples (8 kHz) at once, or in messages of so many milliseconds.
    func say(_ samples: [Int16], inMessagesOf milliseconds: Int? = nil) {
        let bytes = Self.encode(samples)
        guard let milliseconds else { return sendMedia(bytes[...]) }
        for start in stride(from: 0, to: bytes.count, by: milliseconds * 8) {
            sendMedia(bytes[start..<min(start + milliseconds * 8, bytes.count)])
        }
    }

    /// The samples in real time, 20 ms by 20 ms.
    func sayPaced(_ samples: [Int16]) {
        if paced.isEmpty { nextPace = now }
        paced += Self.encode(samples)
    }

    func mark(_ name: String) { post(#"{"event":"mark","streamSid":"\#(streamID)","mark":{"name":"\#(name)"}}"#) }

    func clear() { post(#"{"event":"clear","streamSid":"\#(streamID)"}"#) }

    func post(_ text: String) { delegate?.transportReceived(text: ByteBuffer(string: text), now: now) }

    func post(_ bytes: [UInt8]) { delegate?.transportReceived(text: ByteBuffer(bytes: bytes), now: now) }

    /// The agent closes, or its connection breaks (nil).
    func hangUp(code: UInt16? = 1000) {
        isUp = false
        delegate?.transportClosed(code: code, reason: code == nil ? "connection reset" : "closed by the agent", now: now)
    }

    func sendMedia(_ bytes: ArraySlice<UInt8>) {
        let payload = Data(bytes).base64EncodedString()
        post(#"{"event":"media","streamSid":"\#(streamID)","media":{"payload":"\#(payload)"}}"#)
    }

    static func encode(_ samples: [Int16]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: samples.count) { bytes, count in
            count = samples.withUnsafeBufferPointer { G711.encode($0, into: UnsafeMutableRawBufferPointer(bytes), law: .mu) }
        }
    }

    // MARK: What it hears

    private func understand(_ data: Data) {
        guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any], let event = object["event"] as? String else {
            messages.append(Message(event: "unreadable", shape: [], at: now))
            return
        }
        messages.append(Message(event: event, shape: Self.shape(object), at: now))
        if let number = (object["sequenceNumber"] as? String).flatMap(Int.init) { sequenceNumbers.append(number) }
        switch event {
        case "start":
            streamID = object["streamSid"] as? String ?? ""
            parameters = (object["start"] as? [String: Any])?["customParameters"] as? [String: String] ?? [:]
        case "media": hear(object["media"] as? [String: Any] ?? [:])
        case "dtmf": digits.append(((object["dtmf"] as? [String: Any])?["digit"] as? String ?? "", now))
        case "mark": marks.append(((object["mark"] as? [String: Any])?["name"] as? String ?? "", now))
        default: break
        }
    }

    private func hear(_ fields: [String: Any]) {
        let timestamp = (fields["timestamp"] as? String).flatMap(Int.init) ?? -1
        let chunk = (fields["chunk"] as? String).flatMap(Int.init) ?? -1
        media.append((timestamp, chunk, now))
        mediaCount += 1
        guard let payload = (fields["payload"] as? String).flatMap({ Data(base64Encoded: $0) }) else { return }
        audio += [Int16](unsafeUninitializedCapacity: payload.count) { samples, count in
            count = payload.withUnsafeBytes { G711.decode($0, into: samples, law: .mu) }
        }
    }

    private static func shape(_ value: Any, path: String = "") -> [String] {
        guard let object = value as? [String: Any] else {
            let type =
                switch value {
                case is String: "string"
                case is NSNumber: "number"
                case is [Any]: "array"
                default: "null"
                }
            return ["\(path): \(type)"]
        }
        return object.flatMap { shape($0.value, path: path.isEmpty ? $0.key : "\(path).\($0.key)") }.sorted()
    }
}
