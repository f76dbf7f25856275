import Foundation
import NIOCore

/// OpenAI's Realtime API over its WebSocket, generally available event shapes (AGENT-PROTOCOLS section 4): the gateway is the client and the
/// model service is the agent. The gateway owns the playout, so it tells the model what of an answer was heard. This file speaks to the
/// service, `OpenAIDialect+Server.swift` understands it.
final class OpenAIDialect: AgentDialect {
    /// What the configuration says of the agent.
    struct Settings {
        var instructions: String?
        var voice: String?
        var tools: [Agent.Tool] = []
        var functions: [AgentFunction] = []
        var greeting: String?
        /// Carries the functions out.
        var caller: (any AgentFunctionCaller)?
    }

    let subprotocol: String? = nil
    let acceptsByMessage = true
    let wantsSlots = true
    let resumptionWindow: TimeAmount? = .seconds(10)

    var settings: Settings
    /// Toward the service, and from it: what was asked for, then what the service says.
    var formats: (caller: RealtimeFormat, agent: RealtimeFormat)
    var rate: Int { formats.caller.rate }
    var playoutRate: Int { formats.agent.rate }

    /// The service took our session's settings; sound may be sent.
    var isReady = false
    /// The call was taken; another socket goes on with it.
    var isAccepted = false
    var isResponding = false
    /// The response under way, as the service calls it; and the one that was cut, of which nothing is to be heard any more.
    var response: String?
    var cutResponse: String?
    var items = SpokenItems()
    var transcript = RealtimeTranscript()
    /// Tools that the model called in the present response, run at its end.
    var toolCalls: [(name: String, call: String, arguments: String)] = []
    /// Functions of the webhook whose results are not there yet, by the model's names for them.
    var pendingFunctions: Set<String> = []
    /// The model is to speak again as soon as it may.
    var owesResponse = false
    /// The model's name of each transfer under way.
    var transfers: [Int64: String] = [:]
    var lastTransfer: Int64 = 0
    weak var session: (any AgentCommands)?
    /// The service's sound was looked at long enough to believe in its format.
    var isFormatProven = false
    var judged = 0
    /// What it really sends, where that is not what it says; and the way from there to the playout's rate.
    var source: RealtimeFormat?
    var converter: Resampling?
    /// The first byte of a sample whose other one is to come, and of which item it is.
    var half: (item: String, byte: Int16)?

    /// What the caller said while no session was there.
    private var waiting: [Int16] = []
    private var digits = ""
    /// Slots until the digits are passed on.
    private var digitWait = 0
    /// Slots of this session.
    private var age = 0
    private let encoded = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * 960, alignment: 8)

    /// Slots after which a session is replaced, before the service ends it after 60 minutes.
    var longestAge = 50 * 60 * 57
    private static let digitPause = 75
    private static let longestWait = 5

    init(callerRates: [Int], settings: Settings) {
        let format = RealtimeFormat(callerRates: callerRates)
        formats = (format, format)
        self.settings = settings
    }

    deinit { encoded.deallocate() }

    /// The service's address for a model.
    static func url(_ url: String, model: String?) -> String {
        guard let model, !url.contains("model="), let name = model.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(.init(charactersIn: "-._")))
        else { return url }
        return url + (url.contains("?") ? "&" : "?") + "model=" + name
    }

    // MARK: Events

    func send(_ event: [String: Any], to transport: any AgentTransport) {
        guard let data = try? JSONSerialization.data(withJSONObject: event, options: [.sortedKeys, .withoutEscapingSlashes]) else { return }
        var buffer = transport.makeBuffer(capacity: data.count)
        buffer.writeBytes(data)
        transport.send(text: buffer)
    }

    /// The settings are sent when the service says that a session is there.
    func opening(_ call: AgentCallInfo, to transport: any AgentTransport) {
        // A route may have a wording of its own; what a browser sends may not.
        settings.instructions = call.routeParameters["instructions"] ?? settings.instructions
        settings.voice = call.routeParameters["voice"] ?? settings.voice
        settings.tools = call.routeParameters["tools"].map(Agent.Tool.list) ?? settings.tools
        beginSession()
    }

    func resuming(_ playout: PlayoutPosition, to transport: any AgentTransport) { beginSession() }

    /// What is said from here on waits for the next session.
    func broke() { beginSession() }

    private func beginSession() {
        isReady = false
        isResponding = false
        (response, cutResponse) = (nil, nil)
        toolCalls = []
        pendingFunctions = []
        owesResponse = false
        age = 0
    }

    /// The session is as we want it.
    func ready(to transport: any AgentTransport) {
        isReady = true
        let missed = waiting
        waiting = []
        missed.withUnsafeBufferPointer { samples in
            for start in stride(from: 0, to: samples.count, by: rate / 50) {
                sendAudio(UnsafeBufferPointer(rebasing: samples[start..<min(start + rate / 50, samples.count)]), to: transport)
            }
        }
    }

    func sayText(_ text: String, isCaller: Bool = true, to transport: any AgentTransport) {
        let content: [String: Any] = ["type": isCaller ? "input_text" : "output_text", "text": text]
        send(
            ["type": "conversation.item.create", "item": ["type": "message", "role": isCaller ? "user" : "assistant", "content": [content]] as [String: Any]],
            to: transport)
    }

    /// Wants an answer; while one is under way, after it.
    func askForResponse(to transport: any AgentTransport) {
        owesResponse = isResponding
        guard !isResponding else { return }
        isResponding = true
        send(["type": "response.create"], to: transport)
    }

    func audio(_ samples: UnsafeBufferPointer<Int16>, position: Int64, to transport: any AgentTransport) {
        guard isReady else {
            if waiting.count < Self.longestWait * rate { waiting += samples }
            return
        }
        sendAudio(samples, to: transport)
    }

    private func sendAudio(_ samples: UnsafeBufferPointer<Int16>, to transport: any AgentTransport) {
        let count = formats.caller.encode(samples, into: encoded)
        transport.send(.text, atMost: Base64.encodedLength(count) + 64) { memory in
            var pen = MessagePen(memory)
            pen.write("{\"type\":\"input_audio_buffer.append\",\"audio\":\"")
            pen.writeBase64(UnsafeRawBufferPointer(rebasing: encoded[0..<count]))
            pen.write("\"}")
            return pen.count
        }
    }

    /// Keys are gathered: a number is one thing to the model.
    func digit(_ digit: Digit, to transport: any AgentTransport) {
        digits.append(digit.character)
        digitWait = digit.character == "#" ? 1 : Self.digitPause
    }

    func slot(_ playout: PlayoutPosition, call: AgentSlotFigures, to transport: any AgentTransport) {
        age += 1
        if age >= longestAge, !playout.isPlaying, !isResponding, isReady, pendingFunctions.isEmpty { session?.renew() }
        guard digitWait > 0, isReady else { return }
        digitWait -= 1
        guard digitWait == 0 else { return }
        sayText("The caller pressed these keys of the telephone: \(digits)", to: transport)
        digits = ""
        askForResponse(to: transport)
    }

    /// There are no marks in this dialect.
    func mark(_ name: String, to transport: any AgentTransport) {}

    /// Tells the model what was heard of its answer.
    func cleared(_ cut: PlayoutCut, to transport: any AgentTransport) {
        if cut.cause == .bargeIn, isResponding { send(["type": "response.cancel"], to: transport) }
        if isResponding { cutResponse = response }
        for truncation in items.cut(at: cut.heard, rate: playoutRate) { send(truncation, to: transport) }
    }

    func send(_ truncation: SpokenItems.Truncation, to transport: any AgentTransport) {
        send(
            [
                "type": "conversation.item.truncate", "item_id": truncation.id, "content_index": truncation.contentIndex,
                "audio_end_ms": truncation.milliseconds,
            ], to: transport)
    }

    func transfer(_ progress: AgentTransferProgress, to transport: any AgentTransport) {
        guard progress.state == .failed, let call = transfers.removeValue(forKey: progress.reference) else { return }
        answer(call, ["status": "failed", "reason": progress.detail], to: transport)
        askForResponse(to: transport)
    }

    /// A text of the caller's page is something the caller says.
    func message(_ message: CallMessage, to transport: any AgentTransport) {
        guard isReady else { return }
        sayText(message.body, to: transport)
        askForResponse(to: transport)
    }

    /// Nothing is said; the socket closes.
    func stop(_ end: CallEnd, to transport: any AgentTransport) {}
}
