import Foundation

/// Tandem's release binary with a configuration of its own, on ports that it chose.
final class TandemProcess {
    let measured: MeasuredProcess
    let httpPort: UInt16
    let sipPort: UInt16

    /// - Parameters:
    ///   - ends: the keys of `tandem.yaml` that say whom calls go to and come from: `trunks`, `agents`, `limits`
    ///   - routes: the text of `dialplan.yaml`
    ///   - folder: where both go, and its records
    init(ends: String, routes: String, folder: URL) throws {
        let file = folder.appendingPathComponent("tandem.yaml")
        try (Self.head + ends).write(to: file, atomically: true, encoding: .utf8)
        try routes.write(to: folder.appendingPathComponent("dialplan.yaml"), atomically: true, encoding: .utf8)
        let process = try MeasuredProcess(Self.program, ["serve", "--config", file.path], folder: folder)
        let ready = try process.line(beginning: "tandem ready ")
        func port(_ name: String) throws -> UInt16 {
            guard let port = ready.split(separator: " ").first(where: { $0.hasPrefix(name) })?.split(separator: ":").last.flatMap({ UInt16($0) }) else {
                throw process.failure("no \(name) port in “\(ready)”")
            }
            return port
        }
        measured = process
        httpPort = try port("http=")
        sipPort = try port("sip=")
    }

    /// Beside this program, where `make bench` built it, unless TANDEM_BINARY names another.
    private static var program: String {
        ProcessInfo.processInfo.environment["TANDEM_BINARY"]
            ?? URL(fileURLWithPath: BareGateway.program).deletingLastPathComponent().appendingPathComponent("tandem").path
    }

    private static let head = """
        http: { listen: 127.0.0.1:0 }
        browser: { listen: 127.0.0.1:0, advertise: [127.0.0.1] }
        media: { loops: 1 }
        sip: { listen: ["udp:127.0.0.1:0"], rtp_ports: 14000-17999 }
        dialplan: dialplan.yaml
        calls: { database: calls.db }

        """
}
