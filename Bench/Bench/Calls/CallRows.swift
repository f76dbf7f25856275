import Foundation
import RTCStack

/// Whole calls through whole gateways: browser and phone at either end of Tandem, of the bare loop and of rtpengine, the same
/// load through one after the other.
struct CallRows {
    static let title = "calls, browser ↔ trunk"
    private static let rounds = 3
    private static let seconds: Int64 = 5
    /// Few enough for rtpengine on half a core, enough for cold caches.
    static let usualCallCount = 20

    private struct Result {
        let name: String
        var figures: [CallFigures] = []
        var ratios: [Double] = []
    }

    /// Prints the table. The first gateway of a round is what the others are divided by.
    static func run(callCount: Int) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tandem-bench-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let material = try CallMaterial()
        let certificate: DTLSCertificate
        do {
            certificate = try DTLSCertificate()
        } catch {
            throw BenchFailure("no certificate: \(error)")
        }
        var makers: [() throws -> any CallSubject] = [
            { try BareGateway(calls: callCount, material: material, folder: folder) },
            { try TandemGateway(calls: callCount, material: material, certificate: certificate, folder: folder) },
        ]
        if RTPEngine.isInstalled { makers.append { try RTPEngine(calls: callCount, material: material, certificate: certificate, folder: folder) } }

        print("\n\(title): \(callCount) at once, Opus over ICE, DTLS and SRTP (GCM) ↔ PCMU, \(rounds) rounds of \(seconds) s")
        var results: [Result] = []
        for _ in 0..<rounds {
            var bare = Double.nan
            for (index, make) in makers.enumerated() {
                let subject = try make()
                let figures = try CallLoad(subject: subject, seconds: seconds).run()
                if index == 0 { bare = figures.cpuPerCallSecond }
                if !results.indices.contains(index) { results.append(Result(name: subject.name)) }
                results[index].figures.append(figures)
                results[index].ratios.append(figures.cpuPerCallSecond / bare)
            }
        }
        show(results)
    }

    private static func show(_ results: [Result]) {
        print(CallTable.head)
        for result in results { print(CallTable.line(result.name, figures: result.figures, ratio: CallTable.median(result.ratios))) }
        if results.count > 2 {
            let ratios = zip(results[2].ratios, results[1].ratios).map { $0 / $1 }
            print(String(format: "  %@ spends %.1f times the CPU time of %@ on a call", results[2].name, CallTable.median(ratios), results[1].name))
        } else {
            print("  rtpengine is not installed, its row is missing: scripts/install-dependencies.sh bench")
        }
        let late = results.flatMap(\.figures).reduce(0) { $0 + $1.late }
        let own = CallTable.median(results.flatMap(\.figures).map(\.ownCPUPerCallSecond))
        print(String(format: "  the load generator itself: %.1f CPU-ms per call-second; %d frames sent more than 5 ms late%@", own, late, late > 0 ? ", when the machine was busy: then delay is not the gateways' alone" : ""))
        fflush(nil)
    }
}
