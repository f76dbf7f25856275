import CBench
import Foundation

/// The agent of all calls with an agent, as a process of its own: sends back what it hears (CBench/echo_agent.c).
final class EchoAgent {
    static let argument = "echo-agent"
    let port: UInt16
    private let process: MeasuredProcess

    init(folder: URL) throws {
        process = try MeasuredProcess(BareGateway.program, [Self.argument], folder: folder)
        guard let port = try process.line(beginning: "ready ").split(separator: " ").last.flatMap({ UInt16($0) }) else {
            throw process.failure("the agent has no port")
        }
        self.port = port
    }

    /// What the other process does.
    static func run() -> Never {
        _ = bench_echo_agent_run()
        exit(1)
    }
}
