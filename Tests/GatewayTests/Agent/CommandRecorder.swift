@testable import Gateway

/// Keeps what a dialect asks of the session.
final class CommandRecorder: AgentCommands {
    var played: [[Int16]] = []
    var marks: [String] = []
    var clears = 0
    var misunderstood: [String] = []

    func play(_ count: Int, write: (UnsafeMutableBufferPointer<Int16>) -> Void) {
        played.append([Int16](unsafeUninitializedCapacity: count) { samples, written in
            samples.initialize(repeating: 0)
            write(samples)
            written = count
        })
    }

    func mark(_ name: String) { marks.append(name) }
    func clear() { clears += 1 }
    func misunderstood(_ what: @autoclosure () -> String) { misunderstood.append(what()) }
}
