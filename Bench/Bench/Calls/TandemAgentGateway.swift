import Foundation
import NIOCore
import RTCStack

/// Tandem's release binary with calls to an agent: browsers by WHIP, or phones by INVITE.
final class TandemAgentGateway: CallSubject {
    private enum Callers {
        case browsers([BrowserTransport])
        case phones([DirectTransport], CallingPhones)
    }

    let name = "Tandem"
    let calls: [LoadCall]
    private let callers: Callers
    private let gateway: TandemProcess
    private let probes: Int
    private var sessions: [Int: String] = [:]

    var process: MeasuredProcess { gateway.measured }

    convenience init(
        calls count: Int, isBrowser: Bool, agentPort: UInt16, material: CallMaterial, certificate: DTLSCertificate, folder: URL
    ) throws {
        let ends = "trunks:\n" + Self.trunk + Self.agents(port: agentPort) + "limits: { drain_seconds: 1 }\n"
        let gateway = try TandemProcess(ends: ends, routes: "routes:\n" + Self.routes(probes: material.probes), folder: folder)
        try self.init(calls: count, isBrowser: isBrowser, material: material, certificate: certificate, gateway: gateway)
    }

    /// - Parameter gateway: has `trunk`, `agents(port:)` and `routes(probes:)`
    init(calls count: Int, isBrowser: Bool, material: CallMaterial, certificate: DTLSCertificate, gateway: TandemProcess) throws {
        self.gateway = gateway
        probes = material.probes
        if isBrowser {
            let transports = try (0..<count).map { try BrowserTransport(certificate: certificate, seed: UInt64($0)) }
            callers = .browsers(transports)
            calls = try transports.enumerated().map { try material.makeCall($0.offset, echoing: $0.element, isBrowser: true) }
        } else {
            let transports = try (0..<count).map { _ in try DirectTransport() }
            callers = .phones(transports, try CallingPhones(gatewayPort: gateway.sipPort))
            calls = try transports.enumerated().map { try material.makeCall($0.offset, echoing: $0.element, isBrowser: false) }
        }
    }

    static let trunk = """
          phones: { accept_from: [127.0.0.0/8], codecs: [PCMU], max_calls: 1000, max_calls_per_second: 1000 }

        """

    static func agents(port: UInt16) -> String {
        """
        agents:
          echoing: { url: "ws://127.0.0.1:\(port)/", protocol: twilio }

        """
    }

    /// Calls that measure have a route of their own each, whose parameter tells the agent which it is.
    static func routes(probes: Int) -> String {
        let measured = (0..<probes).map { number in
            """
              - name: probe \(number)
                when: { to: probe\(number) }
                do: [{ agent: echoing, parameters: { probe: "\(number)" } }]

            """
        }
        return measured.joined() + """
              - name: agent
                when: { to: assistant }
                do: [{ agent: echoing }]

            """
    }

    private func destination(_ call: LoadCall) -> String { call.number < probes ? "probe\(call.number)" : "assistant" }

    func connect(_ call: LoadCall, now: NIODeadline, meanwhile: () -> Void) throws {
        switch callers {
        case .browsers(let transports):
            let transport = transports[call.number]
            let answer = try HTTPExchange(
                "POST", "/whip/\(destination(call))", port: gateway.httpPort, contentType: "application/sdp", body: transport.offer, meanwhile: meanwhile)
            guard answer.status == 201, let session = answer.header("Location") else {
                throw process.failure("the WHIP POST is answered \(answer.status) \(answer.body)")
            }
            sessions[call.number] = session.hasPrefix("/") ? session : URL(string: session)?.path
            try transport.start(try RemoteDescription(answer.body), now: now)
        case .phones(let transports, let phones):
            let transport = transports[call.number]
            transport.remotePort = try phones.call(destination(call), number: call.number, from: transport.socket.port, meanwhile: meanwhile)
        }
    }

    func poll() {}

    func disconnect(_ call: LoadCall, meanwhile: () -> Void) throws {
        if case .phones(_, let phones) = callers { return phones.hangUp(call.number) }
        guard let session = sessions.removeValue(forKey: call.number) else { return }
        let answer = try HTTPExchange("DELETE", session, port: gateway.httpPort, meanwhile: meanwhile)
        guard answer.status / 100 == 2 else { throw process.failure("the WHIP DELETE is answered \(answer.status) \(answer.body)") }
    }
}
