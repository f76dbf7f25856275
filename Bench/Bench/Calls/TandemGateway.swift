import Foundation
import NIOCore
import RTCStack

/// Tandem's release binary: browsers call by WHIP, and the dial plan sends them to a carrier.
final class TandemGateway: CallSubject {
    /// The default of `media.opus.trunk`.
    static let opusComplexity = 1
    let name = "Tandem"
    let calls: [LoadCall]
    private let browsers: [BrowserTransport]
    private let carrier: Carrier
    private let gateway: TandemProcess
    private var sessions: [Int: String] = [:]

    var process: MeasuredProcess { gateway.measured }

    convenience init(calls count: Int, material: CallMaterial, certificate: DTLSCertificate, folder: URL) throws {
        let socket = try LoadSocket()
        let ends = Self.trunk(carrierPort: socket.port) + "limits: { drain_seconds: 1, \(Self.limits) }\n"
        let gateway = try TandemProcess(ends: ends, routes: "routes:\n" + Self.route, folder: folder)
        try self.init(calls: count, material: material, certificate: certificate, gateway: gateway, carrierSocket: socket)
    }

    /// - Parameters:
    ///   - gateway: has `trunk(carrierPort:)`, `limits` and `route`
    ///   - carrierSocket: of that carrier
    init(calls count: Int, material: CallMaterial, certificate: DTLSCertificate, gateway: TandemProcess, carrierSocket: LoadSocket) throws {
        self.gateway = gateway
        browsers = try (0..<count).map { try BrowserTransport(certificate: certificate, seed: UInt64($0)) }
        let phones = try (0..<count).map { _ in try DirectTransport() }
        carrier = Carrier(phones: phones, socket: carrierSocket)
        calls = try zip(browsers, phones).enumerated().map { try material.makeCall($0.offset, browser: $0.element.0, phone: $0.element.1) }
    }

    static func trunk(carrierPort: UInt16) -> String {
        """
        trunks:
          carrier:
            hosts: ["sip:127.0.0.1:\(carrierPort);transport=udp"]
            codecs: [PCMU]
            max_calls: 1000
            max_calls_per_second: 1000

        """
    }

    static let limits = "unauthenticated: { paid_calls: 1000, new_destinations_per_hour: 100000 }"

    static let route = """
          - name: out
            when: { via: browser, to: "+1415555XXXX" }
            do: [{ trunk: carrier, caller_id: "+14155550100" }]

        """

    func connect(_ call: LoadCall, now: NIODeadline, meanwhile: () -> Void) throws {
        let digits = String(call.number)
        let number = "+1415555" + String(repeating: "0", count: 4 - digits.count) + digits
        let browser = browsers[call.number]
        let answer = try HTTPExchange(
            "POST", "/whip/\(number)", port: gateway.httpPort, contentType: "application/sdp", body: browser.offer, meanwhile: meanwhile)
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
        let answer = try HTTPExchange("DELETE", session, port: gateway.httpPort, meanwhile: meanwhile)
        guard answer.status / 100 == 2 else { throw process.failure("the WHIP DELETE is answered \(answer.status) \(answer.body)") }
    }
}
