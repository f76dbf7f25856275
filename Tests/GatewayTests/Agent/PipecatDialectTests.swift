import Foundation
import NIOCore
import TestKit
import Testing

@testable import Gateway

@Suite struct PipecatDialectTests {
    /// A field of the wire format, by hand.
    private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] { [number << 3 | 2] + varint(bytes.count) + bytes }
    private static func field(_ number: UInt8, _ value: Int) -> [UInt8] { [number << 3] + varint(value) }
    private static func varint(_ value: Int) -> [UInt8] {
        value < 128 ? [UInt8(value)] : [UInt8(value & 127 | 128)] + varint(value >> 7)
    }

    /// What Pipecat's serializer makes of sound.
    private static func audio(_ samples: [Int16], rate: Int = 16_000, channels: Int = 1) -> [UInt8] {
        let bytes = samples.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        return field(2, field(1, 1234) + field(2, Array("OutputAudioRawFrame#1".utf8)) + field(3, bytes) + field(4, rate) + field(5, channels) + field(6, 99))
    }

    private static func message(_ text: String) -> [UInt8] { field(4, field(1, Array(text.utf8))) }

    /// The JSON of a message frame.
    private func object(_ frame: [UInt8]) throws -> [String: Any] {
        let text = frame.withUnsafeBytes { bytes -> Data? in
            if case .message(let text) = PipecatFrame(bytes) { Data(text) } else { nil }
        }
        let data = try #require(text)
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test func whatIsTold() throws {
        let dialect = PipecatDialect()
        let wire = MessageWire()
        let id = try #require(CallID("0123456789abcdef0123456789abcdef"))
        dialect.opening(AgentCallInfo(call: id, from: "+1415", to: "sa\"les", account: "", parameters: ["queue": "a\\b"]), to: wire)
        dialect.digit(try #require(Digit("#")), to: wire)
        dialect.message(CallMessage(contentType: "text/plain", body: "hello \"you\""), to: wire)
        let told = try wire.binaries.map(object)
        #expect(told.map { $0["type"] as? String } == ["client-message", "client-ready", "dtmf", "client-message"])
        #expect(told.allSatisfy { $0["label"] as? String == "rtvi-ai" })
        #expect(Set(told.compactMap { $0["id"] as? String }).count == 4)
        let call = try #require((told[0]["data"] as? [String: Any])?["d"] as? [String: Any])
        #expect(call["from"] as? String == "+1415" && call["to"] as? String == "sa\"les" && call["leg"] as? String == "sip")
        #expect(call["parameters"] as? [String: String] == ["queue": "a\\b"])
        #expect((told[1]["data"] as? [String: Any])?["version"] as? String == "2.2.0")
        #expect(told[2]["data"] as? [String: [String]] == ["buttons": ["#"]])
        #expect((told[3]["data"] as? [String: Any])?["d"] as? [String: String] == ["content_type": "text/plain", "body": "hello \"you\""])
        #expect(wire.texts.isEmpty)
    }

    @Test func soundIsWrittenAsTheSchemaHasIt() {
        let dialect = PipecatDialect()
        let wire = MessageWire()
        let samples = [Int16](repeating: 0x1234, count: 320)
        samples.withUnsafeBufferPointer { dialect.audio($0, position: 0, to: wire) }
        let content = Self.field(3, (0..<320).flatMap { _ in [0x34, 0x12] as [UInt8] }) + Self.field(4, 16_000) + Self.field(5, 1)
        #expect(wire.binaries == [Self.field(2, content)])
        #expect(wire.binaries[0].count == 651)
    }

    @Test func onlyTheGatewaysInterruptionIsTold() {
        let dialect = PipecatDialect()
        let wire = MessageWire()
        dialect.cleared(PlayoutCut(marks: [], heard: 0, dropped: 320, cause: .agent), to: wire)
        #expect(wire.binaries.isEmpty)
        dialect.cleared(PlayoutCut(marks: [], heard: 0, dropped: 320, cause: .bargeIn), to: wire)
        #expect(wire.binaries == [[0x2A, 0]])
    }

    @Test func whatAgentsSay() {
        let dialect = PipecatDialect()
        let recorder = CommandRecorder()
        for bytes in [
            Self.audio([0x1234, -2]), Self.audio([]), Self.field(5, Self.field(1, 7) + Self.field(2, Array("InterruptionFrame#7".utf8))),
            // Texts, transcriptions and what is still to come are no sound.
            Self.field(1, Self.field(3, Array("hello".utf8))), Self.field(3, []), Self.field(9, [1]), Self.field(9, [2]) + Self.audio([7]),
            Self.message(#"{"label":"rtvi-ai","type":"bot-ready","id":"1","data":{"version":"2.2.0"}}"#),
            Self.message(#"{"label":"rtvi-ai","type":"server-message","data":{"page":[1,{"a":"}"}]}}"#),
            Self.message(#"{"data":"two\nlines","type":"server-message"}"#), Self.message(#"{"type":"server-message"}"#),
        ] { dialect.receive(binary: ByteBuffer(bytes: bytes), for: recorder) }
        #expect(recorder.played.filter { !$0.isEmpty } == [[0x1234, -2], [7]])
        #expect(recorder.clears == 1)
        #expect(recorder.others == [#"message application/json {"page":[1,{"a":"}"}]}"#, "message text/plain two\nlines"])
        #expect(recorder.misunderstood.isEmpty)
    }

    @Test(arguments: [
        Array("clear".utf8), [], [0x12], [0x12, 5, 1], [0x13, 0], [0x02, 0], [0x12, 0x80], field(2, [0x1A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1]),
        field(2, [0x20] + [UInt8](repeating: 0xFF, count: 11)), audio([1], rate: 44_100), audio([1], rate: 0), audio([1], channels: 0),
        audio([1, 2, 3], channels: 2), audio([1], channels: 9), message("{"), message("[1]"), field(4, []), field(4, [0x0A, 2, 0x7B]),
    ])
    func whatIsNoMessageIsCounted(_ bytes: [UInt8]) {
        let dialect = PipecatDialect()
        let recorder = CommandRecorder()
        dialect.receive(binary: ByteBuffer(bytes: bytes), for: recorder)
        #expect(recorder.misunderstood.count == 1 && recorder.played.isEmpty && recorder.clears == 0)
        dialect.receive(ByteBuffer(string: "{}"), for: recorder)
        #expect(recorder.misunderstood.count == 2)
    }

    /// Pipecat speaks 24 kHz unless it is told otherwise, in 40 ms frames; the sound is one stream across them.
    @Test(arguments: [(8000, 1), (24_000, 1), (48_000, 1), (24_000, 2), (16_000, 2)])
    func otherRatesAndChannelsAreConverted(rate: Int, channels: Int) {
        let dialect = PipecatDialect()
        let recorder = CommandRecorder()
        let tone = (0..<rate).map { Int16(8000 * sin(2 * Double.pi * 440 * Double($0) / Double(rate))) }
        for start in stride(from: 0, to: rate, by: 997) {
            let frame = tone[start..<min(start + 997, rate)].flatMap { sample in
                // The first two say together what one says.
                channels == 2 ? [sample &+ 100, sample &- 100] : [sample]
            }
            dialect.receive(binary: ByteBuffer(bytes: Self.audio(frame, rate: rate, channels: channels)), for: recorder)
        }
        let heard = recorder.played.flatMap { $0 }
        #expect(heard.count == 16_000)
        let report = ToneMeter.analyse(heard, rate: 16_000, expectedHz: 440)
        #expect(abs(report.frequency - 440) < 0.5 && report.snr > 40 && report.clicks == 0 && report.gaps.isEmpty)
    }

    /// After an interruption nothing of the old answer comes out of a filter.
    @Test func interruptionForgetsTheFilter() {
        let dialect = PipecatDialect()
        let recorder = CommandRecorder()
        dialect.receive(binary: ByteBuffer(bytes: Self.audio([Int16](repeating: 20_000, count: 480), rate: 24_000)), for: recorder)
        dialect.receive(binary: ByteBuffer(bytes: [0x2A, 0]), for: recorder)
        recorder.played = []
        dialect.receive(binary: ByteBuffer(bytes: Self.audio([Int16](repeating: 0, count: 480), rate: 24_000)), for: recorder)
        #expect(recorder.played.flatMap { $0 } == [Int16](repeating: 0, count: 320))
    }

    @Test func damagedFramesAreUnderstoodOrCounted() {
        let dialect = PipecatDialect()
        let recorder = CommandRecorder()
        var generator = SeededGenerator(seed: 11)
        let samples = [
            Self.audio([1, -1, 300, 4]), Self.audio([5, 6, 7, 8], rate: 24_000, channels: 2),
            Self.field(5, Self.field(1, 7) + Self.field(2, Array("InterruptionFrame#7".utf8))),
            Self.message(#"{"label":"rtvi-ai","type":"server-message","data":{"a":1}}"#),
        ]
        for _ in 0..<20_000 {
            var bytes = samples[Int.random(in: 0..<samples.count, using: &generator)]
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let length = Bool.random(using: &generator) ? bytes.count : Int.random(in: 0..<bytes.count, using: &generator)
            dialect.receive(binary: ByteBuffer(bytes: bytes.prefix(length)), for: recorder)
        }
        #expect(recorder.misunderstood.count > 1000 && recorder.played.count > 100 && recorder.clears > 100 && !recorder.others.isEmpty)
    }
}
