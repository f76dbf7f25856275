import Foundation
import NIOCore

@testable import Gateway

/// An agent of any dialect of texts (all but `pipecat`) that takes calls, speaks, clears and marks in its dialect's words, and breaks as a test wants.
final class FaultyAgent {
    let dialect: Agent.AgentProtocol
    var isReachable = true
    /// False: it opens its socket and never takes the call, where its dialect has a word for that.
    var takesCalls = true
    private(set) var sockets: [FakeSocket] = []
    /// The address of each socket.
    private(set) var dialled: [String] = []
    /// Events that it was told, but for sound.
    private(set) var events: [String] = []
    private(set) var marks: [String] = []
    /// Messages with sound that a realtime session was sent.
    private(set) var sounds = 0
    /// What a realtime session was asked to be.
    private(set) var settings: [String: Any] = [:]
    private var now: NIODeadline
    /// Counts its answers: generations (tandem), items (openai).
    private var answer = 1
    private var lastID = 1
    private var pts = 0
    private var sequence: UInt32 = 0
    private var stream = ""

    init(dialect: Agent.AgentProtocol, now: NIODeadline) {
        self.dialect = dialect
        self.now = now
    }

    var socket: FakeSocket? { sockets.last }
    /// Samples a second of what it says.
    var rate: Int { dialect == .vonage ? 16_000 : 8000 }

    func makeDialect(_ order: AgentOrder) -> any AgentDialect {
        switch dialect {
        case .twilio: return TwilioDialect()
        case .telnyx: return TelnyxDialect()
        case .vonage: return VonageDialect()
        case .openai: return OpenAIDialect(callerRates: [8000], settings: OpenAIDialect.Settings(order.agent))
        case .tandem:
            var generator = SystemRandomNumberGenerator()
            return TandemDialect(order.info, using: &generator)
        case .pipecat: preconditionFailure("this agent speaks no protobuf")
        }
    }

    func dial(_ url: String) -> FakeSocket {
        dialled.append(url)
        let socket = FakeSocket(isReachable: isReachable, now: now) { [weak self] in
            if self?.dialect == .openai, self?.takesCalls == true { $0.post(#"{"type":"session.created","session":{"type":"realtime"}}"#) }
        } heard: { [weak self] in self?.hear($0) }
        sockets.append(socket)
        return socket
    }

    func step(now: NIODeadline) {
        self.now = now
        for socket in sockets { socket.step(now: now) }
    }

    private func hear(_ text: Data) {
        guard let event = try? JSONSerialization.jsonObject(with: text) as? [String: Any],
            let name = (event["event"] ?? event["type"]) as? String, name != "media"
        else { return }
        if name == "input_audio_buffer.append" { return sounds += 1 }
        events.append(name)
        switch name {
        case "start":
            stream = (event["streamSid"] ?? event["stream_id"]) as? String ?? ""
            if dialect == .tandem, takesCalls {
                post(#"{"event":"accept","id":1,"format":{"codec":"pcm_s16le","rate":8000,"channels":1,"frame_ms":20}}"#)
            }
        case "resume":
            post(#"{"event":"accept","id":\#(nextID()),"resumed":true,"caller_pts":0,"last_seq":0}"#)
        case "session.update":
            settings = event["session"] as? [String: Any] ?? [:]
            let session = (try? JSONSerialization.data(withJSONObject: event["session"] ?? [:])) ?? Data()
            post(#"{"type":"session.updated","session":\#(String(decoding: session, as: UTF8.self))}"#)
        case "mark": marks.append((event["mark"] as? [String: Any] ?? event)["name"] as? String ?? "")
        case "websocket:notify": marks.append(event["payload"] as? String ?? "")
        default: break
        }
    }

    func post(_ text: String) { socket?.post(text) }

    /// Breaks its connection and cannot be reached any more.
    func die() {
        isReachable = false
        socket?.cut()
    }

    // MARK: What it says

    /// Samples at `rate`, in one message, where the dialect has no limit of its own.
    func say(_ samples: [Int16]) {
        switch dialect {
        case .twilio, .telnyx: post(#"{"event":"media","media":{"payload":"\#(Self.base64(samples))"}}"#)
        case .openai:
            post(#"{"type":"response.output_audio.delta","item_id":"item\#(answer)","content_index":0,"delta":"\#(Self.base64(samples))"}"#)
        case .pipecat: break
        case .vonage: socket?.post(binary: samples.flatMap(Self.bytes))
        case .tandem:
            for start in stride(from: 0, to: samples.count, by: 8000) { saySecond(Array(samples[start..<min(start + 8000, samples.count)])) }
        }
    }

    private func saySecond(_ samples: [Int16]) {
        var message = ByteBuffer(integer: 1 as UInt8)
        message.writeInteger(0 as UInt8)
        message.writeInteger(UInt16(answer))
        message.writeInteger(sequence)
        message.writeInteger(UInt64(pts))
        message.writeBytes(samples.flatMap(Self.bytes))
        sequence += 1
        pts += samples.count
        socket?.post(binary: Array(message.readableBytesView))
    }

    private static func base64(_ samples: [Int16]) -> String { Data(FakeAgent.encode(samples)).base64EncodedString() }

    private static func bytes(_ sample: Int16) -> [UInt8] { [UInt8(truncatingIfNeeded: sample), UInt8(truncatingIfNeeded: sample >> 8)] }

    /// Drops what it said, by its own wish, or because its service heard the caller.
    func clear() {
        switch dialect {
        case .twilio, .telnyx: post(#"{"event":"clear"}"#)
        case .pipecat: break
        case .vonage: post(#"{"action":"clear"}"#)
        case .openai: post(#"{"type":"input_audio_buffer.speech_started","audio_start_ms":0,"item_id":"user\#(answer)"}"#)
        case .tandem: post(#"{"event":"clear","id":\#(nextID()),"gen":\#(answer)}"#)
        }
        answer += 1
    }

    func mark(_ name: String) {
        switch dialect {
        case .twilio, .telnyx: post(#"{"event":"mark","mark":{"name":"\#(name)"}}"#)
        case .vonage: post(#"{"action":"notify","payload":"\#(name)"}"#)
        case .tandem: post(#"{"event":"mark","id":\#(nextID()),"name":"\#(name)"}"#)
        case .openai, .pipecat: break
        }
    }

    private func nextID() -> Int {
        lastID += 1
        return lastID
    }
}
