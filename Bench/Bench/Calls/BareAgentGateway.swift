import CBench
import Foundation
import NIOCore
import RTP

/// The C loop for calls with an agent, as a process of its own (CBench/agent_gateway.c).
final class BareAgentGateway: CallSubject {
    static let argument = "bare-agent-gateway"
    /// The default of `media.opus.agent`.
    private static let opusComplexity: Int32 = 5
    let name = "bare loop in C"
    let process: MeasuredProcess
    let calls: [LoadCall]
    private let transports: [DirectTransport]
    private let ports: [UInt16]

    init(calls count: Int, isBrowser: Bool, agent: EchoAgent, material: CallMaterial, folder: URL) throws {
        let key = MediaRows.key(.aeadAES128GCM)
        transports = try (0..<count).map { _ in
            guard isBrowser else { return try DirectTransport() }
            guard let context = SRTPContext(profile: .aeadAES128GCM, sendKey: key, receiveKey: key) else { throw BenchFailure("no SRTP") }
            return try DirectTransport(context: context)
        }
        calls = try transports.enumerated().map { try material.makeCall($0.offset, echoing: $0.element, isBrowser: isBrowser) }
        process = try MeasuredProcess(
            BareGateway.program, [Self.argument, isBrowser ? "1" : "0", String(agent.port)] + transports.map { String($0.socket.port) },
            folder: folder)
        ports = try process.line(beginning: "ready ").split(separator: " ").compactMap { UInt16($0) }
        guard ports.count == count else { throw process.failure("the bare loop could not be set up") }
    }

    func connect(_ call: LoadCall, now: NIODeadline, meanwhile: () -> Void) { transports[call.number].remotePort = ports[call.number] }

    func poll() {}

    func disconnect(_ call: LoadCall, meanwhile: () -> Void) {}

    /// What the other process does: it takes the kind of caller, the agent's port and the callers', and is killed in the end.
    static func run(_ arguments: some Sequence<String>) -> Never {
        let numbers = arguments.compactMap { UInt16($0) }
        guard numbers.count > 2 else { exit(1) }
        let callers = Array(numbers.dropFirst(2))
        let key = MediaRows.key(.aeadAES128GCM)
        _ = bench_agent_gateway_run(Int32(numbers[0]), Int32(callers.count), numbers[1], callers, key, opusComplexity)
        exit(1)
    }
}
