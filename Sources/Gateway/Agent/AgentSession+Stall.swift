import NIOCore

/// What the agent never hears because the loop stood still.
extension AgentSession {
    /// Called on the 20 ms grid. What came during a pause for which the loop drops it (`MediaLoop.stallLimit`) is gone: the caller's
    /// clock goes on without it, so that it keeps to wall time.
    func noticeStall(now: NIODeadline) {
        defer { lastTick = now }
        guard let lastTick, now - lastTick > MediaLoop.stallLimit else { return }
        // Packets say themselves where they stand.
        guard uplink == nil else { return isAfterStall = true }
        let slots = ((now - lastTick).nanoseconds + MediaCall.slot.nanoseconds / 2) / MediaCall.slot.nanoseconds
        let samples = Int64(dialect.rate / 50) * slots
        dialect.lost(sent..<(sent + samples), to: transport)
        sent += samples
    }
}
