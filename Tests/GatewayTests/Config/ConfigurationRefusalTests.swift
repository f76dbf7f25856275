import Foundation
import Testing

@testable import Gateway

@Suite("Refusals of a configuration")
struct ConfigurationRefusalTests {
    @Test("errors carry their exact place", arguments: [
        ("htpp: {}", "1:1: error: unknown key “htpp” in the configuration (did you mean http?)"),
        ("http: on", "1:7: error: http must be a mapping of keys to values, not “on”"),
        ("http:\n  lissten: x", "2:3: error: unknown key “lissten” in http (did you mean listen?)"),
        ("http:\r\n  listen: 8080\r\n", "2:11: error: listen must be an IP address and a port such as 127.0.0.1:8080, not “8080”"),
        ("http: { listen: 127.0.0.1:65536 }", "1:17: error: listen must be an IP address and a port such as 127.0.0.1:8080, not “127.0.0.1:65536”"),
        ("http: { listen: \"example.com:80\" }", "1:17: error: listen must be an IP address and a port such as 127.0.0.1:8080, not “example.com:80”"),
        ("http: { listen: 127.0.0.1:08080 }", "1:17: error: listen must be an IP address and a port such as 127.0.0.1:8080, not “127.0.0.1:08080”"),
        ("http: { listen: 127.0.0.1:8080, listen: 127.0.0.1:8081 }", "1:33: error: duplicate key “listen”, first given in line 1"),
        ("http: { origins: \"https://a\" }", "1:18: error: origins must be a list, not “https://a”"),
        ("http: { origins: [\"https://a/b\"] }", "1:19: error: an origin must be like https://shop.example, without a path, not “https://a/b”"),
        ("http: { origins: [\"*\"] }", "1:19: error: an origin must be like https://shop.example, without a path, not “*”"),
        ("browser: { advertise: [0.0.0.0] }", "1:24: error: advertise must be an IP address that others can reach, not “0.0.0.0”"),
        ("browser: { advertise: [shop.example] }", "1:24: error: advertise must be an IP address that others can reach, not “shop.example”"),
        ("browser: { listen: 0.0.0.0:25000 }", "1:20: error: the browser port 25000 lies within rtp_ports 20000-29999"),
        ("browser: { listen: 0.0.0.0:65535 }\nmedia: { loops: 2 }", "1:20: error: media loop 1 has no port: listen plus loops goes beyond 65535"),
        ("sip: { listen: [\"udp:127.0.0.1\"] }", "1:17: error: listen must be a list of addresses such as udp:127.0.0.1:5060, not “udp:127.0.0.1”"),
        ("sip: { listen: [\"ws:127.0.0.1:1\"] }", "1:17: error: listen must be a list of addresses such as udp:127.0.0.1:5060, not “ws:127.0.0.1:1”"),
        ("sip: { listen: [\"udp:127.0.0.1:9\", \"udp:127.0.0.1:9\"] }", "1:36: error: udp:127.0.0.1:9 is listed twice"),
        ("sip: { listen: udp:127.0.0.1:9 }", "1:16: error: listen must be a list, not “udp:127.0.0.1:9”"),
        ("sip: { rtp_ports: 29999-20000 }", "1:19: error: rtp_ports must be a range of ports such as 20000-29999, not “29999-20000”"),
        ("sip: { rtp_ports: 5000-6000 }", "1:19: error: the SIP port 5060 lies within rtp_ports 5000-6000"),
        ("media: { loops: 0 }", "1:17: error: loops must be auto or 1 to 256, not “0”"),
        ("media: { realtime: yes }", "1:20: error: realtime must be false or true, not “yes”"),
        ("media: { opus: { trunk: { bitrate: 5999 } } }", "1:36: error: bitrate must be 6000 to 510000, not “5999”"),
        ("media: { opus: { agent: { complexity: 11 } } }", "1:39: error: complexity must be 0 to 10, not “11”"),
        ("limits: { max_calls: 0 }", "1:22: error: max_calls must be 1 to 1000000, not “0”"),
        ("limits: { max_calls: 1e3 }", "1:22: error: max_calls must be a whole number, not “1e3”"),
        ("limits: { drain_seconds: 5m }", "1:26: error: drain_seconds must be a whole number, not “5m”"),
        ("limits: { drain_seconds: 99999999999999999999999 }", "1:26: error: drain_seconds must be a whole number, not “99999999999999999999999”"),
        ("limits: { drain_seconds: ٣ }", "1:26: error: drain_seconds must be a whole number, not “٣”"),
        ("log: { format: xml }", "1:16: error: format must be text or json, not “xml”"),
        ("log: { level: }", "1:15: error: level has no value"),
        ("dialplan: [a]", "1:11: error: dialplan must be a single value, not a list"),
        ("recordings: { folder: [a] }", "1:23: error: folder must be a single value, not a list"),
        ("recordings: { format: mp3 }", "1:23: error: format must be wav or opus, not “mp3”"),
        ("recordings: { retention_days: -1 }", "1:31: error: retention_days must be a whole number, not “-1”"),
        ("recordings: { tone: yes }", "1:21: error: tone must be false or true, not “yes”"),
        ("recordings: { announcement: gone.wav }", "1:29: error: the file “gone.wav” cannot be read: No such file or directory"),
        ("recordings: { announcement: dialplan.yaml }", "1:29: error: the file “dialplan.yaml” cannot be played: it is no WAV file"),
        ("recordings: { keep_digits: maybe }", "1:28: error: keep_digits must be false or true, not “maybe”"),
        ("recordings: { keep: 1 }", "1:15: error: unknown key “keep” in recordings (known here: folder, format, retention_days, tone, announcement, keep_digits)"),
        ("calls: { database: \"mysql://x\" }", "1:20: error: database must be the path of a file or a postgres:// URL"),
    ])
    func sections(text: String, expected: String) throws {
        let loaded = try ConfigurationFolder.load(text)
        #expect(loaded.configuration == nil && loaded.plan == nil)
        #expect(loaded.problems.first { $0.contains("error:") } == "tandem.yaml:\(expected)")
        #expect(loaded.problems.filter { $0.contains("error:") }.count == 1)
    }

    @Test("trunks", arguments: [
        ("browser: { accept_from: [192.0.2.1] }", "2:3: error: a trunk cannot be called browser: dial plans mean something else by it"),
        ("\"a b\": { accept_from: [192.0.2.1] }", "2:3: error: the name of a trunk must be 1 to 64 letters, digits, dots, - or _, not “a b”"),
        ("a: { hosts: [198.51.100.7] }", "2:16: error: a host must be like sip:198.51.100.7:5060;transport=udp, not “198.51.100.7”"),
        ("a: { hosts: [\"sip:u@198.51.100.7\"] }", "2:16: error: a host must be like sip:198.51.100.7:5060;transport=udp, not “sip:u@198.51.100.7”"),
        ("a: { hosts: [\"sip:h;transport=ws\"] }", "2:16: error: a host must be like sip:198.51.100.7:5060;transport=udp, not “sip:h;transport=ws”"),
        ("a: { hosts: [\"sip:1.2.3\"] }", "2:16: error: a host must be like sip:198.51.100.7:5060;transport=udp, not “sip:1.2.3”"),
        ("a: { accept_from: [10.0.0.1/8] }", "2:22: error: accept_from “10.0.0.1/8” has bits set behind its /8 prefix"),
        ("a: { accept_from: [10.0.0.0/33] }", "2:22: error: accept_from “10.0.0.0/33” has a prefix length that is not 0 to 32"),
        ("a: { accept_from: [\"fe80::/129\"] }", "2:22: error: accept_from “fe80::/129” has a prefix length that is not 0 to 128"),
        ("a: { accept_from: [pbx.example] }", "2:22: error: accept_from “pbx.example” is not a block of addresses such as 198.51.100.0/28"),
        ("a: { accept_from: [10.0.0.0/8, 10.0.0.0/8] }", "2:34: error: 10.0.0.0/8 already belongs to trunk a: equal prefixes leave it open whose call it is"),
        ("a: { accept_from: [192.0.2.1] }\n  b: { accept_from: [192.0.2.1/32] }",
            "3:22: error: 192.0.2.1/32 already belongs to trunk a: equal prefixes leave it open whose call it is"),
        ("a: { hosts: [\"sip:192.0.2.1\"] }\n  b: { hosts: [\"sip:192.0.2.1:5080\"] }",
            "3:16: error: 192.0.2.1 already belongs to trunk a: equal prefixes leave it open whose call it is"),
        ("a: { accept_from: [192.0.2.1], codecs: [GSM] }", "2:43: error: a codec must be PCMU, PCMA, G722, opus, L16/8000 or L16/16000, not “GSM”"),
        ("a: { accept_from: [192.0.2.1], codecs: [PCMU, pcmu] }", "2:49: error: PCMU is listed twice"),
        ("a: { accept_from: [192.0.2.1], codecs: [] }", "2:42: error: codecs needs at least one"),
        ("a: { accept_from: [192.0.2.1], dtmf: tones }", "2:40: error: dtmf must be auto, rfc4733, info or inband, not “tones”"),
        ("a: { accept_from: [192.0.2.1], country: \"+1\" }", "2:43: error: country must be a country code such as \"1\" or \"44\", not “+1”"),
        ("a: { accept_from: [192.0.2.1], inbound_auth: true }",
            "2:48: error: inbound_auth is not built yet; remove it, and accept_from alone decides who may call in"),
        ("a: { accept_from: [192.0.2.1], srtp: required }", "2:40: error: srtp: required is not built yet; set srtp: off to send plain RTP"),
        ("a: { accept_from: [192.0.2.1], max_call: 1 }", "2:34: error: unknown key “max_call” in trunk a (did you mean max_calls?)"),
        ("a: on", "2:6: error: trunk a must be a mapping of keys to values, not “on”"),
    ])
    func trunks(text: String, expected: String) throws {
        let loaded = try ConfigurationFolder.load("trunks:\n  \(text)\n")
        #expect(loaded.configuration == nil)
        #expect(loaded.problems.filter { $0.contains("error:") } == ["tandem.yaml:\(expected)"])
    }

    @Test("agents", arguments: [
        ("{}", "2:3: error: agent a needs builtin, url or urls"), ("", "2:3: error: agent a needs builtin, url or urls"),
        ("{ builtin: parot }", "2:17: error: builtin must be parrot or echo, not “parot”"),
        ("{ builtin: parrot, url: \"ws://x\" }", "2:30: error: url does not go with a built-in agent"),
        ("{ url: \"ws://x\", urls: [\"ws://y\"] }", "2:13: error: an agent has either url or urls"),
        ("{ urls: [] }", "2:14: error: urls needs at least one"),
        ("{ url: \"http://x\" }", "2:13: error: url must begin with ws:// or wss://, not “http://x”"),
        ("{ url: \"wss://\" }", "2:13: error: url must be a URL with a host, not “wss://”"),
        ("{ url: \"wss://x:0x1/\" }", "2:13: error: url must be a URL with a host, not “wss://x:0x1/”"),
        ("{ url: \"wss://x/a b\" }", "2:13: error: url must be a URL with a host, not “wss://x/a b”"),
        ("{ url: \"wss://u:p@x/\" }", "2:13: error: url must not hold a user or password; use token"),
        ("{ url: \"wss://x\", protocol: vapi }", "2:34: error: protocol must be twilio, tandem, openai, pipecat, vonage or telnyx, not “vapi”"),
        ("{ url: \"wss://x\", instructions: hi }", "2:38: error: instructions goes with protocol: openai only"),
        ("{ url: \"wss://x\", protocol: openai, tools: [rm] }", "2:50: error: a tool must be transfer_call or end_call, not “rm”"),
        ("{ url: \"wss://x\", protocol: tandem, status_callback: \"https://x\" }", "2:59: error: status_callback goes with protocol: twilio only"),
        ("{ url: \"wss://x\", status_callback: \"wss://x\" }", "2:41: error: status_callback must begin with http:// or https://, not “wss://x”"),
        ("{ url: \"wss://x\", protocol: tandem, webhook: \"https://x\" }", "2:51: error: webhook goes with protocol: twilio or openai only"),
        ("{ protocol: openai, webhook: \"https://x\", webhook_secret: s }", "2:3: error: agent a needs builtin, url or urls"),
        ("{ url: \"wss://x\", protocol: openai, webhook_secret: s }", "2:58: error: webhook_secret needs webhook"),
        ("{ url: \"wss://x\", secret: s }", "2:32: error: secret goes with protocol: tandem only"),
        ("{ url: \"wss://x\", webhook_secret: s }", "2:40: error: webhook_secret goes with protocol: openai only"),
        ("{ url: \"wss://x\", spread: random }", "2:32: error: spread must be standby or least_loaded, not “random”"),
        ("{ url: \"wss://x\", answer_seconds: 601 }", "2:40: error: answer_seconds must be 0 to 600, not “601”"),
        ("{ builtin: echo, first_audio_seconds: 5 }", "2:44: error: first_audio_seconds does not go with a built-in agent"),
    ])
    func agents(text: String, expected: String) throws {
        let loaded = try ConfigurationFolder.load("agents:\n  a: \(text)\n")
        #expect(loaded.configuration == nil)
        #expect(loaded.problems.filter { $0.contains("error:") } == ["tandem.yaml:\(expected)"])
    }

    @Test("what protects and is not built refuses the configuration", arguments: [
        ("http: { tls: { certificate: c, key: k } }", "1:14: error: \(Unbuilt.httpTLS.sentence)"),
        ("calls: { database: \"postgres://u:p@h/d\" }", "1:20: error: \(Unbuilt.postgres.sentence)"),
        ("browser: { auth: { jwt_secret: s } }", "1:18: error: \(Unbuilt.browserAuth.sentence)"),
        ("sip: { tls: { certificate: c, key: k } }", "1:13: error: \(Unbuilt.sipTLS.sentence)"),
        ("sip: { listen: [\"tls:127.0.0.1:5061\"] }", "1:17: error: \(Unbuilt.sipTLS.sentence)"),
    ])
    func unbuiltProtection(text: String, expected: String) throws {
        let loaded = try ConfigurationFolder.load(text)
        #expect(loaded.configuration == nil)
        #expect(loaded.problems == ["tandem.yaml:\(expected)"])
    }

    @Test("what is not built otherwise is warned of", arguments: [
        ("browser: { turn: { urls: [\"turn:t.example?transport=udp\"], secret: s } }", ["1:18: warning: \(Unbuilt.turn.sentence)"]),
        ("trunks: { a: { hosts: [\"sip:192.0.2.1\"], username: u, password: p, register: true } }",
            ["1:78: warning: \(Unbuilt.register.sentence)"]),
        ("trunks: { a: { hosts: [\"sip:pbx.example\"] } }", ["1:24: warning: \(Unbuilt.hostNames.sentence)"]),
        ("trunks: { a: { accept_from: [192.0.2.1], dtmf: info, srtp: optional, echo: auto } }",
            ["1:60: warning: \(Unbuilt.optionalSRTP.sentence)"]),
        ("trunks: { a: { accept_from: [0.0.0.0/0] } }",
            ["1:30: warning: accept_from 0.0.0.0/0 lets everybody who reaches the SIP port call in as trunk a"]),
        ("trunks: { a: {} }", ["1:14: warning: trunk a has neither hosts nor accept_from: no call can come or go"]),
        ("agents: { a: { url: \"wss://x\", webhook: \"https://x/v\", account: AC1 } }", ["1:41: warning: the webhook is asked without a signature: set token"]),
        ("agents: { a: { url: \"wss://x\", protocol: openai, webhook: \"https://x/v\" } }",
            ["1:59: warning: the webhook is asked without a signature: set webhook_secret"]),
        ("agents: { a: { url: \"ws://x\", token: t } }", ["1:38: warning: the token travels in the clear: use wss://"]),
        ("http: { listen: 0.0.0.0:8080 }", ["1:17: warning: http listens on 0.0.0.0:8080 without browser.auth: whoever reaches it can call"]),
    ])
    func warnings(text: String, expected: [String]) throws {
        let loaded = try ConfigurationFolder.load(text)
        #expect(loaded.configuration != nil)
        #expect(loaded.plan != nil)
        #expect(loaded.problems == expected.map { "tandem.yaml:\($0)" })
    }

    @Test("all problems of both files at once")
    func allAtOnce() throws {
        let loaded = try ConfigurationFolder.load(
            "http: { listen: x, foo: 1 }\nlimits: { max_calls: many }\ntrunks: { a: { srtp: maybe } }\n", ["dialplan.yaml": "routes: [1]\n"])
        #expect(loaded.problems.map { $0.split(separator: " ")[0] } == [
            "tandem.yaml:1:17:", "tandem.yaml:1:20:", "tandem.yaml:2:22:", "tandem.yaml:3:14:", "tandem.yaml:3:22:", "dialplan.yaml:1:10:",
        ])
    }
}
