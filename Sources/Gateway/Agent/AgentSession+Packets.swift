import NIOCore

/// Agents that take the caller's Opus packets as they came, and agents whose own are sent to the caller as they are.
extension AgentSession {
    /// One slot of the playout grid.
    func tick(_ packets: PacketPlayout, into sink: any AudioSink) {
        let rate = dialect.rate
        let slot = packets.next(slot: slots, isHeld: isHeld, now: now) { payload, samples, time in
            let frame = AudioFrame(
                samples: UnsafeMutableBufferPointer(rebasing: slotSamples.samples[0..<(samples * rate / OpusClock.rate)]),
                mediaTime: time * Int64(rate) / Int64(OpusClock.rate), origin: .received, startsAxis: false, payload: payload, codec: .opus,
                form: .packet)
            sink.receive(frame, from: self, now: now)
        }
        if let samples = soundAway(isPlaying: slot.isPlaying) {
            let time = slots * Int64(samples.count)
            sink.receive(AudioFrame(samples: samples, mediaTime: time, origin: .filler, startsAxis: false), from: self, now: now)
        }
        slots += 1
        finishSlot(slot)
    }

    /// A slot of what is heard while the agent is away; nil where nothing is.
    private func soundAway(isPlaying: Bool) -> UnsafeMutableBufferPointer<Int16>? {
        guard case .away = state else { return nil }
        let samples = UnsafeMutableBufferPointer(rebasing: slotSamples.samples[0..<(dialect.rate / 50)])
        samples.update(repeating: 0)
        soundAway(samples, isPlaying: isPlaying)
        return isPlaying ? nil : samples
    }

    /// The caller's sound on its way to the agent.
    func pass(_ frame: borrowing AudioFrame, through uplink: PacketUplink, now: NIODeadline) {
        uplink.take(frame, now: now) { packet in
            if isAfterStall, packet.position > sent { dialect.lost(sent..<packet.position, to: transport) }
            isAfterStall = false
            sent = packet.position + Int64(packet.samples)
            if isMuted { return isAfterMute = true }
            var packet = packet
            if isAfterMute { packet.isAfterGap = true }
            isAfterMute = false
            if mayWrite() { dialect.packet(packet, to: transport) } else { dialect.dropped(packet, to: transport) }
            guard hearsCaller, let ear = ear ?? makeEar() else { return }
            judge(ear.hear(packet), now: now)
        }
    }

    private func makeEar() -> PacketEar? {
        ear = PacketEar()
        return ear
    }

    @discardableResult
    func play(packet: UnsafeRawBufferPointer, samples: Int) -> Int64 {
        guard let packets else { return queue.played }
        let position = packets.played + Int64(packets.queued)
        packets.append(packet, samples: samples, now: now)
        meter.agentSpoke(now: now)
        return position
    }
}
