import Foundation
import Logging
import NIOCore
import TestKit
import Testing

@testable import Gateway

/// The Twilio dialect by the letter: what goes out, and 20,000 damaged messages coming in.
@Suite struct TwilioDialectTests {
    private func opened() throws -> (TwilioDialect, MessageWire, id: String) {
        let dialect = TwilioDialect()
        let wire = MessageWire()
        let id = try #require(CallID("0123456789abcdef0123456789abcdef"))
        dialect.opening(
            AgentCallInfo(call: id, from: "+1415", to: "sales \"x\"", account: "AC1", parameters: ["queue": "a\\b"]), to: wire)
        return (dialect, wire, "\(id)")
    }

    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func theOpening() throws {
        let (_, wire, id) = try opened()
        #expect(wire.texts.count == 2)
        #expect(wire.texts.first == #"{"event":"connected","protocol":"Call","version":"1.0.0"}"#)
        let start = try object(wire.texts[1])
        #expect(start["event"] as? String == "start")
        #expect(start["sequenceNumber"] as? String == "1")
        #expect(start["streamSid"] as? String == "MZ\(id)")
        let fields = try #require(start["start"] as? [String: Any])
        #expect(fields["accountSid"] as? String == "AC1")
        #expect(fields["callSid"] as? String == "CA\(id)")
        #expect(fields["streamSid"] as? String == "MZ\(id)")
        #expect(fields["tracks"] as? [String] == ["inbound"])
        let format = try #require(fields["mediaFormat"] as? [String: Any])
        #expect(format["encoding"] as? String == "audio/x-mulaw")
        #expect(format["sampleRate"] as? Int == 8000)
        #expect(format["channels"] as? Int == 1)
        let parameters = ["queue": "a\\b", "from_number": "+1415", "to_number": "sales \"x\""]
        #expect(fields["customParameters"] as? [String: String] == parameters)
    }

    /// JSON may write any character of a text as an escape: .NET does so with "+", Gson with "=", PHP with "/"; and MIME breaks lines.
    @Test(arguments: ["\\u002B", "\\u002b"], ["\\u003d", "\\u003D"]) func base64MayBeEscaped(_ plus: String, _ equals: String) throws {
        let (dialect, _, _) = try opened()
        let session = CommandRecorder()
        let bytes = (0..<256).map { UInt8(truncatingIfNeeded: $0 * 7) } + [0xFB, 0xEF, 0xBE, 0xFF]
        let plain = Data(bytes).base64EncodedString()
        let escaped = plain.replacing("+", with: plus).replacing("=", with: equals).replacing("/", with: "\\/")
        let broken = escaped.prefix(40) + "\\r\\n" + escaped.dropFirst(40)
        #expect(escaped.contains(plus) && escaped.contains(equals) && escaped.contains("\\/"))
        for payload in [plain, escaped, String(broken), escaped] {
            dialect.receive(ByteBuffer(string: #"{"event":"media","media":{"payload":"\#(payload)"}}"#), for: session)
        }
        #expect(session.misunderstood.isEmpty && session.played.count == 4)
        #expect(session.played.allSatisfy { $0 == session.played.first && $0.count == bytes.count })
        dialect.receive(ByteBuffer(string: #"{"event":"media","media":{"payload":"AAAA\u20ACAAAA"}}"#), for: session)
        dialect.receive(ByteBuffer(string: #"{"event":"media","media":{"payload":"AAAA\u00"}}"#), for: session)
        #expect(session.misunderstood.count == 2 && session.played.count == 4)
    }

    @Test func everyFurtherMessage() throws {
        let (dialect, wire, id) = try opened()
        let frame = [Int16](repeating: 0, count: 160)
        for index in 0..<2 { frame.withUnsafeBufferPointer { dialect.audio($0, position: Int64(160 * index), to: wire) } }
        dialect.digit(try #require(Digit("#")), to: wire)
        dialect.mark("m\"1", to: wire)
        dialect.stop(CallEnd(.callerHangup), to: wire)
        let messages = try wire.texts.dropFirst().map(object)
        #expect(messages.map { $0["sequenceNumber"] as? String } == ["1", "2", "3", "4", "5", "6"])
        #expect(messages.allSatisfy { $0["streamSid"] as? String == "MZ\(id)" })
        let media = try #require(messages[2]["media"] as? [String: String])
        #expect(media["track"] == "inbound")
        #expect(media["chunk"] == "2")
        #expect(media["timestamp"] == "21")
        #expect(media["payload"].flatMap { Data(base64Encoded: $0) } == Data(repeating: 0xFF, count: 160))
        #expect(messages[3]["dtmf"] as? [String: String] == ["track": "inbound_track", "digit": "#"])
        #expect(messages[4]["mark"] as? [String: String] == ["name": "m\"1"])
        #expect(messages[5]["stop"] as? [String: String] == ["accountSid": "AC1", "callSid": "CA\(id)"])
    }

    @Test func whatAgentsSay() throws {
        let (dialect, _, id) = try opened()
        let recorder = CommandRecorder()
        for text in [
            #"{"event":"media","streamSid":"MZ\#(id)","media":{"payload":"/////w=="}}"#, #"{"media":{"payload":"\/\/8="},"event":"media"}"#,
            #"{"event":"mark","streamSid":"MZ\#(id)","mark":{"name":"a\u00e9\n"}}"#, #"{"event":"clear","streamSid":"MZ\#(id)"}"#,
            #"{"event":"clear","streamSid":"MZother"}"#,
        ] { dialect.receive(ByteBuffer(string: text), for: recorder) }
        #expect(recorder.played == [[0, 0, 0, 0], [0, 0]])
        #expect(recorder.marks == ["aé\n"])
        #expect(recorder.clears == 1)
        #expect(recorder.misunderstood.count == 1)
    }

    @Test func twentyThousandDamagedMessages() throws {
        let (dialect, _, id) = try opened()
        let recorder = CommandRecorder()
        var generator = SeededGenerator(seed: 77)
        let payload = Data(FakeAgent.encode(SoundMaterial.noise(seconds: 0.02, rate: 8000, level: -20, seed: 1))).base64EncodedString()
        let samples = [
            #"{"event":"media","streamSid":"MZ\#(id)","media":{"payload":"\#(payload)"}}"#,
            #"{"event":"mark","streamSid":"MZ\#(id)","mark":{"name":"part\u0031 \"x\""}}"#, #"{"event":"clear","streamSid":"MZ\#(id)"}"#,
        ].map { Array($0.utf8) }
        for index in 0..<20_000 {
            dialect.receive(ByteBuffer(bytes: Self.damaged(samples[index % 3], samples, &generator)), for: recorder)
        }
        // Each was either understood or counted, and some of each.
        #expect(recorder.played.count + recorder.marks.count + recorder.clears + recorder.misunderstood.count == 20_000)
        #expect(recorder.misunderstood.count > 1000)
        #expect(recorder.played.count > 100)
        #expect(recorder.played.allSatisfy { $0.count <= 400 })
    }

    private static func damaged(_ message: [UInt8], _ all: [[UInt8]], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = message
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<7, using: &generator) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 2: bytes.removeLast(bytes.count - place)
            case 3: bytes.insert(contentsOf: Array("{}[]\",:\\u".utf8).shuffled(using: &generator).prefix(2), at: place)
            case 4: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...20, using: &generator)))
            case 5:
                let other = all[Int.random(in: 0..<all.count, using: &generator)]
                bytes.replaceSubrange(place..., with: other.suffix(Int.random(in: 0..<other.count, using: &generator)))
            default: bytes.insert(contentsOf: bytes[0..<min(place, 40)], at: place)
            }
        }
        return bytes
    }
}
