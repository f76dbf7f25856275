import CBench
import Foundation
import NIOCore
import RTP

/// The C loop as a process of its own: this program again, under another name (CBench/gateway.c).
final class BareGateway: CallSubject {
    static let argument = "bare-gateway"
    let name = "bare loop in C"
    let process: MeasuredProcess
    let calls: [LoadCall]
    private let transports: [(browser: DirectTransport, phone: DirectTransport)]
    private let browserPort: UInt16
    private let phonePorts: [UInt16]

    init(calls count: Int, material: CallMaterial, folder: URL) throws {
        let key = MediaRows.key(.aeadAES128GCM)
        transports = try (0..<count).map { _ in
            guard let context = SRTPContext(profile: .aeadAES128GCM, sendKey: key, receiveKey: key) else { throw BenchFailure("no SRTP") }
            return (try DirectTransport(context: context), try DirectTransport())
        }
        calls = try transports.enumerated().map { try material.makeCall($0.offset, browser: $0.element.browser, phone: $0.element.phone) }
        let ports = transports.flatMap { [String($0.browser.socket.port), String($0.phone.socket.port)] }
        process = try MeasuredProcess(Self.program, [Self.argument] + ports, folder: folder)
        let numbers = try process.line(beginning: "ready ").split(separator: " ").compactMap { UInt16($0) }
        guard numbers.count == count + 1 else { throw process.failure("the bare loop could not be set up") }
        browserPort = numbers[0]
        phonePorts = Array(numbers.dropFirst())
    }

    func connect(_ call: LoadCall, now: NIODeadline, meanwhile: () -> Void) {
        transports[call.number].browser.remotePort = browserPort
        transports[call.number].phone.remotePort = phonePorts[call.number]
    }

    func poll() {}

    func disconnect(_ call: LoadCall, meanwhile: () -> Void) {}

    /// What the other process does: it takes the ports of a browser and of a phone in turn, and is killed in the end.
    static func run(_ arguments: some Sequence<String>) -> Never {
        let ports = arguments.compactMap { UInt16($0) }
        let browsers = stride(from: 0, to: ports.count - 1, by: 2).map { ports[$0] }
        let phones = stride(from: 1, to: ports.count, by: 2).map { ports[$0] }
        let key = MediaRows.key(.aeadAES128GCM)
        _ = bench_gateway_run(Int32(browsers.count), browsers, phones, key, Int32(TandemGateway.opusComplexity))
        exit(1)
    }

    static var program: String { (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0] }
}
