import Foundation
import NIOCore
import Transcode

/// What the agent says.
extension TandemDialect {
    // MARK: Sound

    func receive(binary: ByteBuffer, for session: any AgentCommands) {
        binary.withUnsafeReadableBytes { bytes in
            guard bytes.count >= Self.headerLength else { return session.fail(code: 4400, reason: "a binary message without a header") }
            guard bytes[0] == 1, isAccepted, !isResuming else { return }
            agentSeq += 1
            let payload = UnsafeRawBufferPointer(rebasing: bytes[Self.headerLength...])
            let generation = Int(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
            let pts = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            play(payload, generation: generation, pts: Int64(clamping: pts), isJump: bytes[1] & 1 != 0, for: session)
        }
    }

    private func play(_ payload: UnsafeRawBufferPointer, generation: Int, pts: Int64, isJump: Bool, for session: any AgentCommands) {
        let format = formats.agent
        if format.codec == .opus { return play(packet: payload, generation: generation, pts: pts, isJump: isJump, for: session) }
        guard payload.count.isMultiple(of: format.bytesPerSample) else { return session.fail(code: 4400, reason: "half a sample") }
        let count = payload.count / format.bytesPerSample
        guard count <= format.rate else { return session.fail(code: 4400, reason: "more than a second in one message") }
        switch axis.arrived(pts: pts, count: count, generation: generation, isJump: isJump) {
        case .jump: session.fail(code: 4400, reason: "a jump of pts that was not announced")
        case .drop: break
        case .play(let skip):
            let before = session.position
            guard milliseconds(before.end - before.heard) + milliseconds(Int64(count)) <= Self.mostBufferedMilliseconds else {
                return refuse(pts..<(pts + Int64(count)), for: session)
            }
            axis.queued(pts: pts + Int64(skip), at: before.end, generation: generation, heard: before.heard)
            session.play(count - skip) { format.read(payload, from: skip, into: $0) }
            queued(session.position)
            session.reply { self.flow(to: $0) }
        }
    }

    private func play(packet: UnsafeRawBufferPointer, generation: Int, pts: Int64, isJump: Bool, for session: any AgentCommands) {
        guard packet.count <= PacketPlayout.largestPacket, let count = OpusPacket.duration(of: packet, rate: OpusClock.rate) else {
            return session.fail(code: 4400, reason: "a message that is no Opus packet")
        }
        switch axis.arrived(pts: pts, count: count, generation: generation, isJump: isJump) {
        case .jump: session.fail(code: 4400, reason: "a jump of pts that was not announced")
        // Of a packet nothing can be left out: one that repeats anything is dropped.
        case .drop, .play(skip: 1...): break
        case .play:
            let before = session.position
            guard milliseconds(before.end - before.heard) + milliseconds(Int64(count)) <= Self.mostBufferedMilliseconds else {
                return refuse(pts..<(pts + Int64(count)), for: session)
            }
            axis.queued(pts: pts, at: before.end, generation: generation, heard: before.heard)
            session.play(packet: packet, samples: count)
            queued(session.position)
            session.reply { self.flow(to: $0) }
        }
    }

    private func refuse(_ range: Range<Int64>, for session: any AgentCommands) {
        session.reply { transport in
            send("error", to: transport) {
                $0.field("code", "buffer_overflow")
                $0.field("message", "The queue is full: wait for flow.")
                $0.field("from_pts", range.lowerBound)
                $0.field("to_pts", range.upperBound)
                $0.field("fatal", false)
            }
        }
    }

    // MARK: Texts

    func receive(_ text: ByteBuffer, for session: any AgentCommands) {
        let command: TandemCommand
        do throws(TandemCommand.Failure) { command = try TandemCommand(parsing: Data(text.readableBytesView)) } catch {
            switch error {
            case .noJSON: return session.fail(code: 4400, reason: "a text that is no JSON object")
            case .badField(let name, let id):
                return session.reply { sendError("bad_field", "The field \(name.prefix(40)) is missing or has the wrong type.", re: id, to: $0) }
            }
        }
        if let id = command.id {
            // Said before the socket broke, and said again.
            if let known = repeatsFrom, id <= known, command.event != "accept" { return }
            lastID = max(lastID, id)
        }
        if command.event == "accept" { return accept(command, for: session) }
        if command.event == "reject" { return reject(command, for: session) }
        guard isAccepted, !isResuming else {
            return session.reply { sendError("not_allowed", "Say accept first.", re: command.id, to: $0) }
        }
        perform(command, for: session)
    }

    private func bad(_ field: String, _ command: TandemCommand, _ session: any AgentCommands) {
        session.reply { sendError("bad_field", "The field \(field) is missing or has an impossible value.", re: command.id, to: $0) }
    }

    private func accept(_ command: TandemCommand, for session: any AgentCommands) {
        if isResuming { return acceptAgain(command, for: session) }
        guard !isAccepted else { return session.reply { sendError("not_allowed", "The call is accepted already.", re: command.id, to: $0) } }
        let chosen = (command.in ?? command.format, command.out ?? command.format)
        guard let caller = chosen.0.flatMap(offered), let agent = chosen.1.flatMap(offered) else {
            session.reply {
                send("error", to: $0) {
                    if let id = command.id { $0.field("re", id) }
                    $0.field("code", "no_common_format")
                    $0.field("message", "Choose one of the offer.")
                    $0.field("fatal", true)
                }
            }
            return session.fail(code: 4406, reason: "it chose a format that was not offered")
        }
        formats = (caller, agent)
        replay = TandemReplay(rate: caller.rate, holdsPackets: caller.codec == .opus)
        isAccepted = true
        take(command, for: session)
        session.accept()
    }

    private func offered(_ format: TandemFormat) -> TandemFormat? {
        offer.first { $0.codec == format.codec && $0.rate == format.rate && format.channels == 1 }
    }

    private func take(_ command: TandemCommand, for session: any AgentCommands) {
        if let milliseconds = command.report_ms { reportMilliseconds = milliseconds > 0 ? max(20, milliseconds) : nil }
        if let vad = command.vad { session.interrupt(vad.policy) }
    }

    private func acceptAgain(_ command: TandemCommand, for session: any AgentCommands) {
        take(command, for: session)
        guard command.resumed == true else {
            beginAnew()
            repeatsFrom = nil
            lastID = command.id ?? 0
            session.clearSilently()
            return session.resumed()
        }
        repeatsFrom = lastID
        let position = max(0, command.caller_pts ?? replay?.end ?? 0)
        session.reply { sayAgain(from: position, eventsAfter: command.last_seq, to: $0) }
        session.resumed()
    }

    private func reject(_ command: TandemCommand, for session: any AgentCommands) {
        guard !isAccepted else { return session.reply { sendError("not_allowed", "The call is accepted already.", re: command.id, to: $0) } }
        let code = command.sip_code ?? 480
        guard (400...699).contains(code) else { return bad("sip_code", command, session) }
        session.reject(CallEnd(EndReason(sipStatus: code), sipStatus: code, detail: "The agent does not take the call."))
    }

    private func perform(_ command: TandemCommand, for session: any AgentCommands) {
        switch command.event {
        case "mark": mark(command, for: session)
        case "clear": clear(command, for: session)
        case "pause": session.pause(true)
        case "continue": session.pause(false)
        case "dtmf": press(command, for: session)
        case "transfer": transfer(command, for: session)
        case "hangup": hangUp(command, for: session)
        case "hold", "mute":
            guard let on = command.on else { return bad("on", command, session) }
            session.mute(on)
            if command.event == "hold" { session.pause(on) }
        case "message":
            guard let body = command.body else { return bad("body", command, session) }
            session.send(CallMessage(contentType: command.content_type ?? "text/plain", body: body, reference: command.id ?? 0))
        case "set":
            take(command, for: session)
            if command.gain_db != nil, formats.agent.codec == .opus {
                return session.reply { sendError("not_allowed", "Opus is sent as it is: its gain cannot be set.", re: command.id, to: $0) }
            }
            if let gain = command.gain_db { session.gain(decibels: Float(max(-40, min(20, gain)))) }
        case "error": session.misunderstood("an error of the agent")
        default:
            session.reply { sendError("unknown_event", "There is no event \(command.event.prefix(40)).", re: command.id, to: $0) }
        }
    }

    private func mark(_ command: TandemCommand, for session: any AgentCommands) {
        guard let name = command.name, (1...128).contains(name.utf8.count), !pendingMarks.contains(name) else {
            return bad("name", command, session)
        }
        pendingMarks.append(name)
        if let generation = command.gen, generation < axis.current {
            let heard = session.position.heard
            return session.reply { missed(name, heard: heard, to: $0) }
        }
        session.mark(name)
    }

    private func clear(_ command: TandemCommand, for session: any AgentCommands) {
        guard let generation = command.gen, (0...Int(UInt16.max)).contains(generation) else { return bad("gen", command, session) }
        clearing = generation
        let rest = axis.clear(upTo: generation)
        session.clear(upTo: rest)
        clearing = nil
        queued(session.position)
        session.reply { self.flow(to: $0) }
    }

    private func press(_ command: TandemCommand, for session: any AgentCommands) {
        guard let digits = command.digits, digits.utf8.count <= 128, digits.allSatisfy({ $0 == "," || Digit($0) != nil }) else {
            return bad("digits", command, session)
        }
        let (duration, gap) = (command.duration_ms ?? 100, command.gap_ms ?? 60)
        guard (20...5000).contains(duration), (20...5000).contains(gap) else { return bad("duration_ms", command, session) }
        session.press(digits.map { Digit($0) }, milliseconds: duration + gap)
    }

    private func transfer(_ command: TandemCommand, for session: any AgentCommands) {
        let drains = command.drain ?? false
        if command.complete == true || command.cancel == true {
            let act = command.complete == true ? AgentTransfer.Act.complete : .cancel
            return session.transfer(AgentTransfer(act: act, target: "", reference: command.id ?? 0), drains: drains)
        }
        guard let target = command.to, !target.isEmpty else { return bad("to", command, session) }
        guard let mode = command.mode.map(AgentTransfer.Mode.init(rawValue:)) ?? .bridge else { return bad("mode", command, session) }
        if mode == .refer, call?.isBrowser == true {
            return session.reply { sendError("not_allowed", "A browser cannot be asked to call somebody else.", re: command.id, to: $0) }
        }
        let seconds = command.timeout_ms.map { max(1, $0 / 1000) }
        session.transfer(AgentTransfer(mode: mode, target: target, reference: command.id ?? 0, ringSeconds: seconds), drains: drains)
    }

    private func hangUp(_ command: TandemCommand, for session: any AgentCommands) {
        let code: Int
        switch command.cause {
        case "busy": code = 486
        case "rejected": code = 603
        default: code = command.sip_code ?? 200
        }
        guard (200...699).contains(code) else { return bad("sip_code", command, session) }
        session.hangUp(CallEnd(.agentHangup, sipStatus: code), drains: command.drain ?? false)
    }
}
