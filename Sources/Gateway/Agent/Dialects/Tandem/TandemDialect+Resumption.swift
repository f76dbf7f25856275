/// What is said to an agent that comes back to its call.
extension TandemDialect {
    /// Says again what the agent wants to hear again.
    func sayAgain(from position: Int64, eventsAfter seq: Int64?, to transport: any AgentTransport) {
        isResuming = false
        if let seq { for text in replay?.events(after: seq) ?? [] { transport.send(text: text) } }
        guard let replay else { return }
        var flags: UInt8 = 0
        if position < replay.start {
            flags = TandemFlags.discontinuity
            sendGap(position, replay.start, to: transport)
        }
        replay.frames(from: position) { frame, place, kept, track in
            sendAudio(frame, of: track, position: place, flags: flags | kept, to: transport)
            flags = 0
        }
        replay.packets(from: position) { packet in
            sendPacket(
                packet.payload, of: track, position: packet.position, flags: flags | (packet.isAfterGap ? TandemFlags.discontinuity : 0), to: transport)
            flags = 0
        }
        gap = nil
    }

    /// Another conversation: what was before is not said again.
    func beginAnew() {
        isResuming = false
        gap = nil
        isAfterLoss = false
        pendingMarks = []
        axis.restart(at: playout.heard)
    }
}
