import Foundation
import NIOCore
import TestKit
import Testing

@testable import Gateway

@Suite struct VonageDialectTests {
    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func whatIsTold() throws {
        let dialect = VonageDialect()
        let wire = MessageWire()
        let id = try #require(CallID("0123456789abcdef0123456789abcdef"))
        // A caller cannot pretend to be the event.
        let parameters = ["queue": "a\"b", "event": "forged", "content-type": "audio/l16;rate=8000"]
        dialect.opening(AgentCallInfo(call: id, from: "+1415", to: "sales", account: "", parameters: parameters), to: wire)
        [Int16](arrayLiteral: 0, 1, -2, 0x1234).withUnsafeBufferPointer { dialect.audio($0, position: 0, to: wire) }
        dialect.digit(try #require(Digit("#")), to: wire)
        dialect.mark(#"{"id":7}"#, to: wire)
        dialect.cleared(PlayoutCut(marks: [#"{"id":8}"#], heard: 0, dropped: 320, cause: .agent), to: wire)
        dialect.stop(CallEnd(.callerHangup), to: wire)
        #expect(
            try object(wire.texts[0]) as? [String: String] == [
                "event": "websocket:connected", "content-type": "audio/l16;rate=16000", "queue": "a\"b", "from_number": "+1415",
                "to_number": "sales",
            ])
        #expect(wire.binaries == [[0, 0, 1, 0, 0xFE, 0xFF, 0x34, 0x12]])
        #expect(
            Array(wire.texts.dropFirst()) == [
                ##"{"event":"websocket:dtmf","digit":"#","duration":100}"##, #"{"event":"websocket:notify","payload":{"id":7}}"#,
                #"{"event":"websocket:cleared"}"#,
            ])
    }

    @Test func whatAgentsSay() {
        let dialect = VonageDialect()
        let recorder = CommandRecorder()
        dialect.receive(binary: ByteBuffer(bytes: [0x34, 0x12, 0xFE, 0xFF]), for: recorder)
        dialect.receive(binary: ByteBuffer(bytes: [1, 2, 3]), for: recorder)
        for text in [
            #"{"action":"notify","payload":{"id":[1,{"a":"}"}]}}"#, #"{"payload":"text\n","action":"notify"}"#, #"{"action":"notify"}"#,
            #"{"action":"clear"}"#, #"{"action":"dance"}"#, #"{"event":"clear"}"#, "clear",
        ] { dialect.receive(ByteBuffer(string: text), for: recorder) }
        #expect(recorder.played == [[0x1234, -2]])
        #expect(recorder.marks == [#"{"id":[1,{"a":"}"}]}"#, #""text\n""#, "null"])
        #expect(recorder.clears == 1)
        #expect(recorder.misunderstood.count == 4)
    }

    @Test func damagedTextsAreUnderstoodOrCounted() {
        let dialect = VonageDialect()
        let recorder = CommandRecorder()
        var generator = SeededGenerator(seed: 5)
        let sample = Array(#"{"action":"notify","payload":{"id":"x\u0031","n":[1,2]}}"#.utf8)
        for _ in 0..<5000 {
            var bytes = sample
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let length = Bool.random(using: &generator) ? bytes.count : Int.random(in: 0..<bytes.count, using: &generator)
            dialect.receive(ByteBuffer(bytes: bytes.prefix(length)), for: recorder)
        }
        #expect(recorder.misunderstood.count + recorder.marks.count + recorder.clears == 5000)
        #expect(!recorder.marks.isEmpty && !recorder.misunderstood.isEmpty)
    }
}
