import Dialplan
import Foundation
import Testing

@testable import Gateway

@Suite("The files in conf/")
struct ShippedFilesTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("conf").path

    @Test("the default runs without a warning and takes the first calls of the README")
    func standard() throws {
        let (configuration, plan, problems) = Configuration.load(path: Self.folder + "/tandem.yaml", environment: [:])
        #expect(problems == [])
        let loaded = try #require(configuration)
        #expect(loaded.trunk(for: "127.0.0.1")?.name == "phone")
        #expect(loaded.trunk(for: "192.0.2.1") == nil)
        #expect(loaded.agent(named: "demo")?.link == .builtin(.parrot))
        #expect(loaded.agent(named: "echo")?.link == .builtin(.echo))
        for (via, to) in [(Source.browser, "demo"), (.trunk("phone"), "demo"), (.browser, "echo"), (.trunk("phone"), "echo")] {
            let decision = try #require(plan).route(CallQuery(via: via, from: "1001", to: to, time: Date(timeIntervalSince1970: 0)))
            #expect(decision.steps == [.agent(AgentStep(name: to))])
        }
    }

    @Test("the reference loads, and what it sets are the defaults")
    func reference() throws {
        let (configuration, plan, problems) = Configuration.load(path: Self.folder + "/tandem.reference.yaml", environment: [:])
        #expect(problems.allSatisfy { $0.severity == .warning }, "\(problems)")
        #expect(plan != nil)
        let loaded = try #require(configuration), standard = Configuration()
        #expect(loaded.http.listen == standard.http.listen && loaded.http.origins == standard.http.origins)
        #expect(loaded.browser.listen == standard.browser.listen && loaded.browser.advertise == nil && loaded.browser.agc == standard.browser.agc)
        #expect(loaded.sip.listen == standard.sip.listen && loaded.sip.rtpPorts == standard.sip.rtpPorts)
        #expect(loaded.media.loops == standard.media.loops && loaded.media.realtime == standard.media.realtime)
        #expect(loaded.media.opus.trunk == standard.media.opus.trunk && loaded.media.opus.agent == standard.media.opus.agent)
        #expect(loaded.limits.maxCalls == standard.limits.maxCalls && loaded.limits.drainSeconds == standard.limits.drainSeconds)
        #expect(loaded.limits.unauthenticated == standard.limits.unauthenticated && loaded.calls.retentionDays == standard.calls.retentionDays)
        var recordings = loaded.recordings
        #expect(recordings.folder == Self.folder + "/../data/recordings")
        recordings.folder = standard.recordings.folder
        #expect(recordings == standard.recordings)
        #expect(loaded.log.level == standard.log.level && loaded.log.format == standard.log.format)
        let trunk = try #require(loaded.trunks.first), plain = Trunk(name: "phone")
        #expect(trunk.codecs == plain.codecs && trunk.dtmf == plain.dtmf && trunk.srtp == plain.srtp && trunk.echo == plain.echo && trunk.agc == plain.agc)
        #expect(trunk.maxCalls == plain.maxCalls && trunk.maxCallsPerSecond == plain.maxCallsPerSecond && trunk.country == plain.country)
        #expect(trunk.register == plain.register && trunk.inboundAuth == plain.inboundAuth)
    }

    @Test("the reference names every key", arguments: [
        ["http", "browser", "sip", "media", "trunks", "agents", "dialplan", "limits", "calls", "recordings", "log"],
        ["listen", "tls", "certificate", "key", "origins", "admin_token", "advertise", "auth", "jwt_secret", "turn", "urls", "secret", "ttl_seconds"],
        ["rtp_ports", "loops", "realtime", "opus", "trunk", "agent", "bitrate", "complexity", "max_calls", "drain_seconds", "database", "level", "format", "unauthenticated", "paid_calls",
            "new_destinations_per_hour", "retention_days"],
        ["hosts", "accept_from", "username", "password", "register", "inbound_auth", "codecs", "dtmf", "srtp", "echo", "agc", "country", "max_calls_per_second"],
        ["folder", "retention_days", "tone", "announcement", "keep_digits"],
        ["builtin", "url", "protocol", "token", "webhook", "status_callback", "account", "instructions", "voice", "model", "tools", "spread", "first_audio_seconds", "answer_seconds", "webhook_secret", "secret"],
    ])
    func everyKey(keys: [String]) throws {
        let text = try String(contentsOfFile: Self.folder + "/tandem.reference.yaml", encoding: .utf8)
        for key in keys {
            #expect(text.contains(try Regex("(^|[\\s{,#])\(key):")), "\(key)")
        }
    }
}
