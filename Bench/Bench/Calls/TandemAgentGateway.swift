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
    let process: MeasuredProcess
    let calls: [LoadCall]
    private let callers: Callers
    private let httpPort: UInt16
    private let probes: Int
    private var sessions: [Int: String] = [:]

    init(calls count: Int, isBrowser: Bool, agentPort: UInt16, material: CallMaterial, certificate: DTLSCertificate, folder: URL) throws {
        try Self.configuration(agentPort: agentPort).write(to: folder.appendingPathComponent("tandem.yaml"), atomically: true, encoding: .utf8)
        probes = material.probes
        try Self.plan(probes: probes).write(to: folder.appendingPathComponent("dialplan.yaml"), atomically: true, encoding: .utf8)
        let process = try MeasuredProcess(TandemGateway.program, ["serve", "--config", folder.appendingPathComponent("tandem.yaml").path], folder: folder)
        let ready = try process.line(beginning: "tandem ready ")
        func port(_ name: String) throws -> UInt16 {
            guard let port = ready.split(separator: " ").first(where: { $0.hasPrefix(name) })?.split(separator: ":").last.flatMap({ UInt16($0) }) else {
                throw process.failure("no \(name) port in “\(ready)”")
            }
            return port
        }
        self.process = process
        httpPort = try port("http=")
        if isBrowser {
            let transports = try (0..<count).map { try BrowserTransport(certificate: certificate, seed: UInt64($0)) }
            callers = .browsers(transports)
            calls = try transports.enumerated().map { try material.makeCall($0.offset, echoing: $0.element, isBrowser: true) }
        } else {
            let transports = try (0..<count).map { _ in try DirectTransport() }
            callers = .phones(transports, try CallingPhones(gatewayPort: try port("sip=")))
            calls = try transports.enumerated().map { try material.makeCall($0.offset, echoing: $0.element, isBrowser: false) }
        }
    }

    private static func configuration(agentPort: UInt16) -> String {
        """
        http: { listen: 127.0.0.1:0 }
        browser: { listen: 127.0.0.1:0, advertise: [127.0.0.1] }
        media: { loops: 1 }
        sip: { listen: ["udp:127.0.0.1:0"], rtp_ports: 14000-17999 }
        trunks:
          phones: { accept_from: [127.0.0.0/8], codecs: [PCMU], max_calls: 1000, max_calls_per_second: 1000 }
        agents:
          echoing: { url: "ws://127.0.0.1:\(agentPort)/", protocol: twilio }
        dialplan: dialplan.yaml
        calls: { database: calls.db }
        limits: { drain_seconds: 1 }

        """
    }

    /// Calls that measure have a route of their own each, whose parameter tells the agent which it is.
    private static func plan(probes: Int) -> String {
        let measured = (0..<probes).map { number in
            """
              - name: probe \(number)
                when: { to: probe\(number) }
                do: [{ agent: echoing, parameters: { probe: "\(number)" } }]

            """
        }
        return """
            routes:
              - name: agent
                when: { to: assistant }
                do: [{ agent: echoing }]

            """ + measured.joined()
    }

    private func destination(_ call: LoadCall) -> String { call.number < probes ? "probe\(call.number)" : "assistant" }

    func connect(_ call: LoadCall, now: NIODeadline, meanwhile: () -> Void) throws {
        switch callers {
        case .browsers(let transports):
            let transport = transports[call.number]
            let answer = try HTTPExchange(
                "POST", "/whip/\(destination(call))", port: httpPort, contentType: "application/sdp", body: transport.offer, meanwhile: meanwhile)
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
        let answer = try HTTPExchange("DELETE", session, port: httpPort, meanwhile: meanwhile)
        guard answer.status / 100 == 2 else { throw process.failure("the WHIP DELETE is answered \(answer.status) \(answer.body)") }
    }
}
