import Foundation
import NIOCore

/// What the service says.
extension OpenAIDialect {
    func receive(_ text: ByteBuffer, for session: any AgentCommands) {
        self.session = session
        let isDelta = text.withUnsafeReadableBytes { takeDelta($0, for: session) }
        guard !isDelta else { return }
        guard let event = try? JSONSerialization.jsonObject(with: Data(text.readableBytesView)) as? [String: Any],
            let type = event["type"] as? String
        else { return session.misunderstood("a text that is no event") }
        session.reply { take(type, event, $0, for: session) }
    }

    private func take(_ type: String, _ event: [String: Any], _ transport: any AgentTransport, for session: any AgentCommands) {
        switch type {
        case "session.created": send(sessionUpdate, to: transport)
        case "session.updated": updated(event["session"] as? [String: Any] ?? [:], transport, for: session)
        case "error": failed(event["error"] as? [String: Any] ?? [:], for: session)
        // Also when the response is done, for its end may still be playing.
        case "input_audio_buffer.speech_started":
            // What the caller says is answered by itself, and with it all that came before.
            owesResponse = false
            session.clear()
        case "response.created":
            isResponding = true
            response = (event["response"] as? [String: Any])?["id"] as? String
        case "response.output_item.done": note(event["item"] as? [String: Any] ?? [:])
        case "response.done":
            isResponding = false
            response = nil
            runTools(transport, for: session)
        case "response.output_audio_transcript.done": transcript.add(event["transcript"] as? String ?? "", isCaller: false)
        case "conversation.item.input_audio_transcription.completed": transcript.add(event["transcript"] as? String ?? "", isCaller: true)
        default: break
        }
    }

    /// The settings are compared with what was asked for: a service that will speak another format is understood in that.
    private func updated(_ answer: [String: Any], _ transport: any AgentTransport, for session: any AgentCommands) {
        guard !isReady else { return }
        guard let caller = Self.format(answer, "input"), let agent = Self.format(answer, "output") else {
            let end = CallEnd(.agentUnavailable, detail: "The agent wants a format of sound that the gateway does not speak.")
            return isAccepted ? session.fail(code: 1003, reason: "it wants another format of sound than before") : session.reject(end)
        }
        if isAccepted {
            guard (caller, agent) == formats else { return session.fail(code: 1003, reason: "it wants another format of sound than before") }
            for line in transcript.lines { sayText(line.text, isCaller: line.isCaller, to: transport) }
            session.resumed()
            return ready(to: transport)
        }
        formats = (caller, agent)
        isAccepted = true
        session.accept()
        ready(to: transport)
        // The agent speaks first, as whoever takes a call does.
        greet(to: transport)
    }

    private func failed(_ error: [String: Any], for session: any AgentCommands) {
        let (code, message) = (error["code"] as? String ?? "", error["message"] as? String ?? "")
        if code == "session_expired" { return session.renew() }
        guard isAccepted else {
            return session.reject(CallEnd(.agentUnavailable, detail: "The agent refused the session (\(code.isEmpty ? "error" : code))."))
        }
        // Such as a cancel that came too late.
        session.misunderstood("the service reports \(code): \(message.prefix(200))")
    }

    // MARK: Sound

    /// - Returns: whether it was one.
    private func takeDelta(_ bytes: UnsafeRawBufferPointer, for session: any AgentCommands) -> Bool {
        var type: UnsafeRawBufferPointer?
        var item: UnsafeRawBufferPointer?
        var response: UnsafeRawBufferPointer?
        var delta: UnsafeRawBufferPointer?
        var contentIndex = 0
        _ = JSONScanner.scan(bytes) { leaf in
            guard leaf.inner == nil else { return }
            if leaf.outer.isText("type"), leaf.isString { type = leaf.value }
            if leaf.outer.isText("item_id"), leaf.isString { item = leaf.value }
            if leaf.outer.isText("response_id"), leaf.isString { response = leaf.value }
            if leaf.outer.isText("delta"), leaf.isString { delta = leaf.value }
            if leaf.outer.isText("content_index"), !leaf.isString { contentIndex = Int(String(decoding: leaf.value, as: UTF8.self)) ?? 0 }
        }
        guard let type, type.isText("response.output_audio.delta") else { return false }
        guard let item, let delta else {
            session.misunderstood("a delta without sound")
            return true
        }
        let id = JSONBytes.unescaped(item)
        Base64.resolvingEscapes(in: delta) { delta in
            guard let count = Base64.decodedLength(delta) else { return session.misunderstood("a delta without sound") }
            guard isReady, isAccepted, !items.isCut(id) else { return }
            guard !isCut(response: response) else { return dropLate(id, contentIndex, for: session) }
            play(delta, count, of: id, contentIndex, for: session)
        }
        return true
    }

    private func isCut(response: UnsafeRawBufferPointer?) -> Bool {
        guard let cutResponse, let response else { return false }
        return JSONBytes.unescaped(response) == cutResponse
    }

    /// Sound of a response that was cut before this item of it was known, or when all that was there of it had been heard.
    private func dropLate(_ item: String, _ contentIndex: Int, for session: any AgentCommands) {
        guard let truncation = items.cutLate(item, contentIndex: contentIndex, rate: playoutRate) else { return }
        session.reply { send(truncation, to: $0) }
    }

    private func play(_ delta: UnsafeRawBufferPointer, _ added: Int, of item: String, _ contentIndex: Int, for session: any AgentCommands) {
        let half = half.flatMap { $0.item == item ? $0.byte : nil }
        let count = added + (half == nil ? 0 : 1)
        withUnsafeTemporaryAllocation(of: Int16.self, capacity: max(count, 1)) { scratch in
            if let half { scratch[0] = half }
            let bytes = UnsafeMutableBufferPointer(rebasing: scratch[0..<count])
            Self.bytes.withUnsafeBufferPointer {
                Base64.decode(delta, through: $0, into: UnsafeMutableBufferPointer(rebasing: bytes[(count - added)...]))
            }
            let readable = UnsafeBufferPointer(bytes)
            if !isFormatProven {
                if source == nil, let real = formats.agent.contradiction(in: readable) {
                    session.misunderstood("the service says \(formats.agent) and sends \(real)")
                    source = real
                }
                judged += count
                isFormatProven = judged >= Self.provingBytes
            }
            let format = source ?? formats.agent
            let samples = count / format.bytesPerSample
            self.half = count.isMultiple(of: format.bytesPerSample) ? nil : readable.last.map { (item, $0) }
            let played: (start: Int64, count: Int)
            if format.rate == playoutRate {
                played = (session.play(samples) { format.decode(readable, into: $0) }, samples)
            } else {
                played = playResampled(readable, samples, format, for: session)
            }
            items.queued(item, contentIndex: contentIndex, samples: played.count, at: played.start, heard: session.position.heard)
        }
    }

    private func playResampled(
        _ bytes: UnsafeBufferPointer<Int16>, _ count: Int, _ format: RealtimeFormat, for session: any AgentCommands
    ) -> (start: Int64, count: Int) {
        let converter = self.converter ?? Resampling(from: format.rate, to: playoutRate)
        self.converter = converter
        let start = session.position.end
        guard let converter else { return (start, 0) }
        withUnsafeTemporaryAllocation(of: Int16.self, capacity: max(count, 1)) { scratch in
            let samples = UnsafeMutableBufferPointer(rebasing: scratch[0..<count])
            format.decode(bytes, into: samples)
            let step = format.rate / 50
            for from in stride(from: 0, to: count, by: step) {
                let out = converter.convert(UnsafeMutableBufferPointer(rebasing: samples[from..<min(from + step, count)]))
                session.play(out.count) { _ = $0.update(from: out) }
            }
        }
        return (start, Int(session.position.end - start))
    }

    /// Each byte as itself.
    private static let bytes: [Int16] = (0..<256).map { Int16($0) }
    /// After so much sound its format is no longer in doubt.
    private static let provingBytes = 9600
}
