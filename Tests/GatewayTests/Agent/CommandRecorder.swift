@testable import Gateway

/// Keeps what a dialect asks of the session.
final class CommandRecorder: AgentCommands {
    var played: [[Int16]] = []
    var marks: [String] = []
    var clears = 0
    var misunderstood: [String] = []

    /// What else was asked for, in order.
    var others: [String] = []
    var position = PlayoutPosition(heard: 0, end: 0)

    @discardableResult
    func play(_ count: Int, write: (UnsafeMutableBufferPointer<Int16>) -> Void) -> Int64 {
        let start = position.end
        position.end += Int64(count)
        played.append([Int16](unsafeUninitializedCapacity: count) { samples, written in
            samples.initialize(repeating: 0)
            write(samples)
            written = count
        })
        return start
    }

    @discardableResult
    func play(packet: UnsafeRawBufferPointer, samples: Int) -> Int64 {
        defer { position.end += Int64(samples) }
        others.append("play packet \(packet.count) \(samples)")
        return position.end
    }

    func accept() { others.append("accept") }
    func reject(_ end: CallEnd) { others.append("reject \(end.sipStatus)") }
    func resumed() { others.append("resumed") }
    func pause(_ isPaused: Bool) { others.append(isPaused ? "pause" : "continue") }
    func clear(upTo position: Int64?) { others.append("clear \(position.map(String.init) ?? "all")") }
    func clearSilently() { others.append("clear silently") }
    func mute(_ isMuted: Bool) { others.append("mute \(isMuted)") }
    func gain(decibels: Float) { others.append("gain \(decibels)") }
    func press(_ digits: [Digit?], milliseconds: Int) {
        others.append("press \(String(digits.map { $0?.character ?? "," })) \(milliseconds)")
    }
    /// Where replies go.
    let wire = MessageWire()
    func reply(_ body: (any AgentTransport) -> Void) { body(wire) }
    func transfer(_ transfer: AgentTransfer, drains: Bool) { others.append("transfer \(transfer.target) \(transfer.reference) \(drains)") }
    func hangUp(_ end: CallEnd, drains: Bool) { others.append("hangUp \(end.reason.rawValue) \(drains)") }
    func send(_ message: CallMessage) { others.append("message \(message.contentType) \(message.body)") }
    func renew() { others.append("renew") }
    func interrupt(_ bargeIn: BargeInPolicy) { others.append("interrupt \(bargeIn)") }
    func fail(code: UInt16, reason: String) { others.append("fail \(code)") }

    func mark(_ name: String) { marks.append(name) }
    func clear() { clears += 1 }
    func misunderstood(_ what: @autoclosure () -> String) { misunderstood.append(what()) }
}
