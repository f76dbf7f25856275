import Foundation
import NIOCore
import RTCStack

/// Tandem's release binary: browsers call by WHIP, and the dial plan sends them to a carrier.
final class TandemGateway: CallSubject {
    /// The default of `media.opus.trunk`.
    static let opusComplexity = 1
    let name = "Tandem"
    let process: MeasuredProcess
    let calls: [LoadCall]
    private let browsers: [BrowserTransport]
    private let carrier: Carrier
    private let httpPort: UInt16
    private var sessions: [Int: String] = [:]

    init(calls count: Int, material: CallMaterial, certificate: DTLSCertificate, folder: URL) throws {
        browsers = try (0..<count).map { try BrowserTransport(certificate: certificate, seed: UInt64($0)) }
        let phones = try (0..<count).map { _ in try DirectTransport() }
        carrier = try Carrier(phones: phones)
        calls = try zip(browsers, phones).enumerated().map { try material.makeCall($0.offset, browser: $0.element.0, phone: $0.element.1) }
        try Self.configuration(carrierPort: carrier.port).write(to: folder.appendingPathComponent("tandem.yaml"), atomically: true, encoding: .utf8)
        try Self.plan.write(to: folder.appendingPathComponent("dialplan.yaml"), atomically: true, encoding: .utf8)
        process = try MeasuredProcess(Self.program, ["serve", "--config", folder.appendingPathComponent("tandem.yaml").path], folder: folder)
        let ready = try process.line(beginning: "tandem ready ")
        guard let port = ready.split(separator: " ").first(where: { $0.hasPrefix("http=") })?.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            throw process.failure("no HTTP port in “\(ready)”")
        }
        httpPort = port
    }

    /// Beside this program, where `make bench` built it, unless TANDEM_BINARY names another.
    static var program: String {
        ProcessInfo.processInfo.environment["TANDEM_BINARY"]
            ?? URL(fileURLWithPath: BareGateway.program).deletingLastPathComponent().appendingPathComponent("tandem").path
    }

    private static func configuration(carrierPort: UInt16) -> String {
        """
        http: { listen: 127.0.0.1:0 }
        browser: { listen: 127.0.0.1:0, advertise: [127.0.0.1] }
        media: { loops: 1 }
        sip: { listen: ["udp:127.0.0.1:0"], rtp_ports: 14000-17999 }
        trunks:
          carrier:
            hosts: ["sip:127.0.0.1:\(carrierPort);transport=udp"]
            codecs: [PCMU]
            max_calls: 1000
            max_calls_per_second: 1000
        dialplan: dialplan.yaml
        calls: { database: calls.db }
        limits:
          drain_seconds: 1
          unauthenticated: { paid_calls: 1000, new_destinations_per_hour: 100000 }

        """
    }

    private static let plan = """
        routes:
          - name: out
            when: { via: browser, to: "+1415555XXXX" }
            do: [{ trunk: carrier, caller_id: "+14155550100" }]

        """

    func connect(_ call: LoadCall, now: NIODeadline, meanwhile: () -> Void) throws {
        let digits = String(call.number)
        let number = "+1415555" + String(repeating: "0", count: 4 - digits.count) + digits
        let browser = browsers[call.number]
        let answer = try HTTPExchange(
            "POST", "/whip/\(number)", port: httpPort, contentType: "application/sdp", body: browser.offer, meanwhile: meanwhile)
        if answer.status == 503 { throw CallRefused() }
        guard answer.status == 201, let session = answer.header("Location") else {
            throw process.failure("the WHIP POST is answered \(answer.status) \(answer.body)")
        }
        sessions[call.number] = session.hasPrefix("/") ? session : URL(string: session)?.path
        try browser.start(try RemoteDescription(answer.body), now: now)
    }

    func poll() throws { try carrier.poll() }

    func disconnect(_ call: LoadCall, meanwhile: () -> Void) throws {
        guard let session = sessions.removeValue(forKey: call.number) else { return }
        let answer = try HTTPExchange("DELETE", session, port: httpPort, meanwhile: meanwhile)
        guard answer.status / 100 == 2 else { throw process.failure("the WHIP DELETE is answered \(answer.status) \(answer.body)") }
    }
}
