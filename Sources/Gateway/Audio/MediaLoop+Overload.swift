import NIOCore
import RTCStack

/// Too much to do: no more calls before the running ones suffer, and nothing played that is stale.
extension MediaLoop {
    /// After a pause this long between turns, the sound that waits in the sockets is dropped: to decode seconds of it for every call
    /// at once would make the next pause, and nobody wants to hear it. Shorter ones are left to `StallGuard`.
    static let stallLimit = TimeAmount.milliseconds(500)

    func slotPlayed(isLate: Bool) {
        if isLate { counters.lateTicks += 1 }
        load.slotPlayed(isLate: isLate)
    }

    /// Tells the switchboard when the loop gets full, and when it has room again.
    func judgeLoad() {
        guard load.turned(calls: calls.count, now: now, used: environment.threadTime) else { return }
        environment.logger.warning(
            load.isOverloaded ? "media loop is full: no new calls" : "media loop takes calls again",
            metadata: ["loop": "\(index)", "calls": "\(calls.count)", "busy": "\(Int(load.busy * 100)) %"])
        overloadChanged(load.isOverloaded)
    }

    /// Whether a datagram is sound that a stall made stale. Checks, handshakes and reports are not.
    func isBacklog(_ datagram: UnsafeMutableRawBufferPointer) -> Bool {
        guard isAfterStall, case .media = PacketKind(UnsafeRawBufferPointer(datagram)) else { return false }
        counters.backlogDropped += 1
        return true
    }
}
