import Foundation
import NIOCore
import RTCStack
import RTP

/// What the release binary allocates for a packet: nothing of its own.
struct AllocationRows {
    static let title = "calls, allocations"
    private static let callCount = 20
    /// Past the first reports (RFC 3550 section 6.2: 2.5 s, then every 5 s) and the search for an echo.
    private static let warmUp = TimeAmount.seconds(8)
    private static let seconds: Int64 = 5
    /// A call makes something once even then, as room in a queue when the machine stood still; what a packet makes, each makes.
    private static let most = 0.001

    let material: CallMaterial
    let folder: URL

    func run() throws {
        print(
            "\n\(Self.title) on the media path: \(Self.callCount) at once, \(Self.seconds) s from \(Self.warmUp.nanoseconds / 1_000_000_000) s on, packets in and out of the gateway")
        print("                                  packets       ours   per packet    OpenSSL       Opus")
        let agent = try EchoAgent(folder: folder)
        for profile in [SRTPProfile.aeadAES128GCM, .aesCM128HMACSHA1_80] {
            let certificate = try makeCertificate([profile])
            try row("browser ↔ trunk, \(name(profile))", browsers: profile) {
                try TandemGateway(calls: Self.callCount, material: material, certificate: certificate, folder: folder)
            }
            try row("browser ↔ agent, \(name(profile))", browsers: profile) { try agentCalls(agent, isBrowser: true, certificate) }
        }
        let certificate = try makeCertificate(SRTPProfile.allCases)
        try row("phone ↔ agent", browsers: nil) { try agentCalls(agent, isBrowser: false, certificate) }
        print("  OpenSSL: for the HMAC of the browsers' consent checks (RFC 7675), a few a second for a call; none for SRTP")
        fflush(nil)
    }

    private func makeCertificate(_ profiles: [SRTPProfile]) throws -> DTLSCertificate {
        do {
            return try DTLSCertificate(profiles: profiles)
        } catch {
            throw BenchFailure("no certificate: \(error)")
        }
    }

    private func name(_ profile: SRTPProfile) -> String { profile == .aeadAES128GCM ? "GCM" : "CM" }

    private func agentCalls(_ agent: EchoAgent, isBrowser: Bool, _ certificate: DTLSCertificate) throws -> TandemAgentGateway {
        try TandemAgentGateway(
            calls: Self.callCount, isBrowser: isBrowser, agentPort: agent.port, material: material, certificate: certificate, folder: folder)
    }

    /// - Parameter browsers: the profile that each call's browser must have agreed on
    private func row(_ name: String, browsers: SRTPProfile?, make: () throws -> any CallSubject) throws {
        let counter = try AllocationCounter(folder: folder)
        let subject = try counter.counting(make)
        var edges: [AllocationCounter.Counts] = []
        _ = try CallLoad(subject: subject, seconds: Self.seconds, warmUp: Self.warmUp) { edges.append(try counter.counts(of: subject.process)) }.run()
        guard edges.count == 2, edges[0].turns > 0, !edges[0].ours.isEmpty else {
            throw subject.process.failure("not a single allocation while the calls came up: the gateway has no hooks for the counter")
        }
        if let browsers, subject.process.log.components(separatedBy: "srtp=\(browsers)").count - 1 != Self.callCount {
            throw subject.process.failure("not every browser agreed on \(browsers)")
        }
        try show(name, made: edges[1] - edges[0], subject)
    }

    private func show(_ name: String, made: AllocationCounter.Counts, _ subject: any CallSubject) throws {
        let packets = subject.calls.flatMap(\.legs).reduce(0) { $0 + $1.counts.sent + $1.counts.received }
        let ours = made.ours.values.reduce(0, +)
        let each = Double(ours) / Double(max(1, packets))
        print("  " + name.padding(toLength: 30, withPad: " ", startingAt: 0) + String(format: "%9d %10d %12.5f %10d %10d", packets, ours, each, made.openSSL, made.opus))
        for place in made.ours.sorted(by: { $0.value > $1.value }).prefix(3) { print("    \(place.value) at \(place.key)") }
        fflush(nil)
        if each > Self.most { throw subject.process.failure("\(name): it allocates on the media path") }
    }
}
