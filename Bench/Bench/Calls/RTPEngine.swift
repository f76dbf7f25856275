import Foundation
import NIOCore
import RTCStack

/// rtpengine of Debian, in user space, at its defaults: it transcodes between Opus/DTLS-SRTP with ICE and PCMU, told by its
/// control protocol as a SIP proxy would.
final class RTPEngine: CallSubject {
    static let program = "/usr/bin/rtpengine"
    let name: String
    let process: MeasuredProcess
    let calls: [LoadCall]
    private let browsers: [BrowserTransport]
    private let phones: [DirectTransport]
    private let control: LoadSocket
    private let controlPort: UInt16
    private var requests = 0

    static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: program) }

    init(calls count: Int, material: CallMaterial, certificate: DTLSCertificate, folder: URL) throws {
        browsers = try (0..<count).map { try BrowserTransport(certificate: certificate, seed: UInt64($0)) }
        phones = try (0..<count).map { _ in try DirectTransport() }
        control = try LoadSocket()
        name = "rtpengine \(try Self.version(folder: folder))"
        calls = try zip(browsers, phones).enumerated().map { try material.makeCall($0.offset, browser: $0.element.0, phone: $0.element.1) }
        // A port that was free a moment ago: rtpengine takes none of the kernel's choice.
        controlPort = try LoadSocket().port
        process = try MeasuredProcess(
            Self.program,
            [
                "--foreground", "--log-stderr", "--log-level=4", "--config-file=none", "--table=-1", "--interface=127.0.0.1",
                "--listen-ng=127.0.0.1:\(controlPort)", "--port-min=14000", "--port-max=17999", "--num-threads=2", "--delete-delay=0",
            ], folder: folder)
        for _ in 0..<50 {
            if (try? ask([("command", .text("ping"))], patience: 100, meanwhile: {}))?["result"] == "pong" { return }
            _ = try process.cpuTime()
        }
        throw process.failure("rtpengine does not answer")
    }

    /// As `10.5.3.5`.
    private static func version(folder: URL) throws -> String {
        let line = try MeasuredProcess(program, ["--version"], folder: folder).line(beginning: "Version:")
        return line.split(separator: " ").last?.split(separator: "-").first.map(String.init) ?? ""
    }

    func connect(_ call: LoadCall, now: NIODeadline, meanwhile: () -> Void) throws {
        let identity: [(key: String, value: Bencode)] = [("call-id", .text("bench\(call.number)")), ("from-tag", .text("browser"))]
        let usual: [(key: String, value: Bencode)] = [
            ("replace", .list([.text("origin"), .text("session-connection")])), ("flags", .list([.text("trust-address")])),
        ]
        let browser = browsers[call.number]
        let offer = try describe(
            [("command", .text("offer"))] + identity + [("sdp", .text(browser.offer))] + usual + [
                ("ICE", .text("remove")), ("transport-protocol", .text("RTP/AVP")), ("rtcp-mux", .list([.text("demux")])),
                ("codec", .dictionary([("mask", .list([.text("opus")])), ("transcode", .list([.text("PCMU")]))])),
            ], meanwhile)
        phones[call.number].remotePort = offer.port
        let phone = Carrier.description(port: phones[call.number].socket.port)
        let answer = try describe(
            [("command", .text("answer"))] + identity + [("to-tag", .text("phone")), ("sdp", .text(phone))] + usual, meanwhile)
        try browser.start(answer, now: now)
    }

    func poll() {}

    func disconnect(_ call: LoadCall, meanwhile: () -> Void) throws {
        _ = try ask([("command", .text("delete")), ("call-id", .text("bench\(call.number)")), ("from-tag", .text("browser"))], meanwhile: meanwhile)
    }

    private func describe(_ request: [(key: String, value: Bencode)], _ meanwhile: () -> Void) throws -> RemoteDescription {
        let answer = try ask(request, meanwhile: meanwhile)
        guard answer["result"] == "ok", let text = answer["sdp"] else { throw process.failure("rtpengine refuses: \(answer.encoded)") }
        return try RemoteDescription(text)
    }

    /// - Parameter patience: milliseconds
    private func ask(_ request: [(key: String, value: Bencode)], patience: Int = 3000, meanwhile: () -> Void) throws -> Bencode {
        requests += 1
        let cookie = "bench\(requests) "
        control.send(cookie + Bencode.dictionary(request).encoded, to: controlPort)
        for _ in 0..<patience {
            for (text, _) in control.receiveTexts() where text.hasPrefix(cookie) {
                guard let answer = Bencode(parsing: String(text.dropFirst(cookie.count))) else { throw BenchFailure("rtpengine answers nonsense: \(text)") }
                return answer
            }
            usleep(1000)
            meanwhile()
        }
        throw process.failure("rtpengine does not answer")
    }
}
