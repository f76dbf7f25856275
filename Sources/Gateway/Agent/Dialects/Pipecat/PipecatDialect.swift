import NIOCore
import Transcode

/// Pipecat's own protocol (`ProtobufFrameSerializer`) over a WebSocket, the client's side: every message is binary, sound is PCM16
/// both ways, and what is not sound is RTVI, Pipecat's JSON for clients. Interruptions go both ways: the agent's drops what it said,
/// and the gateway's stops the agent.
final class PipecatDialect: AgentDialect {
    /// What a Pipecat pipeline works at unless it is told otherwise; its serializer does not convert.
    let rate = 16_000
    let subprotocol: String? = nil

    private static let rtviVersion = "2.2.0"
    /// Channels of the agent's sound that are mixed into one, at most.
    private static let mostChannels: UInt64 = 8

    /// One for every rate the agent has used so far.
    private var resamplers: [Int: Resampler] = [:]
    /// 20 ms at the highest rate, and what becomes of them.
    private let piece = SampleBuffer(capacity: 960)
    private let converted = SampleBuffer(capacity: 960)
    private var messages = 0

    // MARK: To the agent

    /// First what a bot may want to know before it speaks, then that it may.
    func opening(_ call: AgentCallInfo, to transport: any AgentTransport) {
        send("client-message", to: transport) { text in
            text.writeString(#"{"t":"call","d":{"id":"\#(call.call)","leg":"\#(call.isBrowser ? "webrtc" : "sip")","from":"#)
            JSONBytes.write(call.from, to: &text)
            text.writeStaticString(",\"to\":")
            JSONBytes.write(call.to, to: &text)
            text.writeStaticString(",\"parameters\":")
            MediaStreamMessages.write(call.parameters, to: &text)
            text.writeStaticString("}}")
        }
        send("client-ready", to: transport) { text in
            text.writeString(#"{"version":"\#(Self.rtviVersion)","about":{"library":"tandem"}}"#)
        }
    }

    func audio(_ samples: UnsafeBufferPointer<Int16>, position: Int64, to transport: any AgentTransport) {
        var message = transport.makeBuffer(capacity: samples.count * 2 + PipecatFrame.envelope)
        PipecatFrame.write(audio: samples, rate: rate, to: &message)
        transport.send(binary: message)
    }

    func digit(_ digit: Digit, to transport: any AgentTransport) {
        send("dtmf", to: transport) { $0.writeString(#"{"buttons":["\#(digit.character)"]}"#) }
    }

    /// The agent sets none.
    func mark(_ name: String, to transport: any AgentTransport) {}

    /// An agent that did not notice the caller is told to stop; one that did knows.
    func cleared(_ cut: PlayoutCut, to transport: any AgentTransport) {
        guard cut.cause == .bargeIn else { return }
        forget()
        var message = transport.makeBuffer(capacity: PipecatFrame.envelope)
        PipecatFrame.writeInterruption(to: &message)
        transport.send(binary: message)
    }

    func message(_ message: CallMessage, to transport: any AgentTransport) {
        send("client-message", to: transport) { text in
            text.writeStaticString("{\"t\":\"message\",\"d\":{\"content_type\":")
            JSONBytes.write(message.contentType, to: &text)
            text.writeStaticString(",\"body\":")
            JSONBytes.write(message.body, to: &text)
            text.writeStaticString("}}")
        }
    }

    /// Nothing is said; the socket closes.
    func stop(_ end: CallEnd, to transport: any AgentTransport) {}

    /// Sends an RTVI message with what `data` writes.
    private func send(_ type: StaticString, to transport: any AgentTransport, data: (inout ByteBuffer) -> Void) {
        messages += 1
        var text = ByteBufferAllocator().buffer(capacity: 256)
        text.writeStaticString("{\"label\":\"rtvi-ai\",\"type\":\"")
        text.writeStaticString(type)
        text.writeString(#"","id":"\#(messages)","data":"#)
        data(&text)
        text.writeStaticString("}")
        var message = transport.makeBuffer(capacity: text.readableBytes + PipecatFrame.envelope)
        PipecatFrame.write(message: text, to: &message)
        transport.send(binary: message)
    }

    // MARK: From the agent

    func receive(_ text: ByteBuffer, for session: any AgentCommands) {
        session.misunderstood("a text message: the agent's serializer must be ProtobufFrameSerializer")
    }

    func receive(binary: ByteBuffer, for session: any AgentCommands) {
        binary.withUnsafeReadableBytes { bytes in
            switch PipecatFrame(bytes) {
            case .audio(let sound, let rate, let channels): play(sound, rate: rate, channels: channels, for: session)
            case .interruption:
                forget()
                session.clear()
            case .message(let text): pass(text, for: session)
            case .other: break
            case nil: session.misunderstood("no frame of Pipecat's protobuf")
            }
        }
    }

    private func play(_ sound: UnsafeRawBufferPointer, rate: UInt64, channels: UInt64, for session: any AgentCommands) {
        guard let rate = Int(exactly: rate), Resampler.rates.contains(rate), (1...Self.mostChannels).contains(channels) else {
            return session.misunderstood("sound of \(rate) Hz and \(channels) channels: set the pipeline to 8000, 16000, 24000 or 48000 Hz")
        }
        let width = Int(channels) * 2
        guard sound.count.isMultiple(of: width) else { return session.misunderstood("half a sample") }
        let count = sound.count / width
        guard rate != self.rate || width != 2 else {
            session.play(count) { Self.read(sound, at: 0, width: width, into: $0) }
            return
        }
        // A message may hold any length; the scratch holds 20 ms.
        for start in stride(from: 0, to: count, by: rate / 50) {
            let samples = piece.prefix(min(rate / 50, count - start))
            Self.read(sound, at: start, width: width, into: samples)
            let result = convert(samples, from: rate)
            // A queue that is full has room for less.
            session.play(result.count) { _ = $0.update(fromContentsOf: result[..<min($0.count, result.count)]) }
        }
    }

    private func convert(_ samples: UnsafeMutableBufferPointer<Int16>, from rate: Int) -> UnsafeMutableBufferPointer<Int16> {
        guard let resampler = resampler(from: rate) else { return samples }
        return converted.prefix(resampler.process(UnsafeBufferPointer(samples), into: converted.samples))
    }

    /// nil where nothing is to be done.
    private func resampler(from rate: Int) -> Resampler? {
        guard rate != self.rate else { return nil }
        if let known = resamplers[rate] { return known }
        let made = Resampler(from: rate, to: self.rate)
        resamplers[rate] = made
        return made
    }

    /// What comes next has nothing to do with what was said so far.
    private func forget() {
        for resampler in resamplers.values { resampler.reset() }
    }

    /// - Parameters:
    ///   - start: where `samples` begin, in samples of one channel
    ///   - width: bytes of a sample of all channels
    private static func read(_ sound: UnsafeRawBufferPointer, at start: Int, width: Int, into samples: UnsafeMutableBufferPointer<Int16>) {
        for index in samples.indices {
            let place = (start + index) * width
            var sum = Int(Int16(littleEndian: sound.loadUnaligned(fromByteOffset: place, as: Int16.self)))
            var channel = 2
            while channel < width {
                sum += Int(Int16(littleEndian: sound.loadUnaligned(fromByteOffset: place + channel, as: Int16.self)))
                channel += 2
            }
            samples[index] = Int16(truncatingIfNeeded: width == 2 ? sum : sum / (width / 2))
        }
    }

    /// A `server-message` is the bot's own word to its client, and goes to the caller's page; the rest of RTVI tells what is heard anyway.
    private func pass(_ text: UnsafeRawBufferPointer, for session: any AgentCommands) {
        var (type, data): (UnsafeRawBufferPointer?, JSONScanner.Leaf?)
        let isObject = JSONScanner.scan(text) { leaf in
            guard leaf.inner == nil else { return }
            if leaf.outer.isText("type"), leaf.isString { type = leaf.value }
            if leaf.outer.isText("data") { data = leaf }
        }
        guard isObject else { return session.misunderstood("a message that is no JSON object") }
        guard let type, type.isText("server-message"), let data else { return }
        let body = data.isString ? JSONBytes.unescaped(data.value) : String(decoding: data.value, as: UTF8.self)
        session.send(CallMessage(contentType: data.isString ? "text/plain" : "application/json", body: body))
    }
}
