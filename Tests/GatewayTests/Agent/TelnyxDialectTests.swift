import Foundation
import NIOCore
import Testing

@testable import Gateway

@Suite struct TelnyxDialectTests {
    private func opened() throws -> (TelnyxDialect, MessageWire, id: String) {
        let dialect = TelnyxDialect()
        let wire = MessageWire()
        let id = try #require(CallID("0123456789abcdef0123456789abcdef"))
        dialect.opening(AgentCallInfo(call: id, from: "+1415", to: "sales", account: "u1", parameters: ["queue": "a\"b"]), to: wire)
        return (dialect, wire, "\(id)")
    }

    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func whatIsTold() throws {
        let (dialect, wire, id) = try opened()
        let frame = [Int16](repeating: 0, count: 160)
        for index in 0..<2 { frame.withUnsafeBufferPointer { dialect.audio($0, position: Int64(160 * index), to: wire) } }
        dialect.digit(try #require(Digit("*")), to: wire)
        dialect.mark("m", to: wire)
        dialect.stop(CallEnd(.callerHangup), to: wire)
        let messages = try wire.texts.map(object)
        #expect(messages.map { $0["event"] as? String } == ["connected", "start", "media", "media", "dtmf", "mark", "stop"])
        #expect(messages.dropFirst().map { $0["sequence_number"] as? String } == ["1", "2", "3", "4", "5", "6"])
        #expect(messages.dropFirst().allSatisfy { $0["stream_id"] as? String == id })
        let start = try #require(messages[1]["start"] as? [String: Any])
        #expect(start["call_control_id"] as? String == id && start["from"] as? String == "+1415" && start["to"] as? String == "sales")
        #expect(start["custom_parameters"] as? [String: String] == ["queue": "a\"b", "from_number": "+1415", "to_number": "sales"])
        let format = try #require(start["media_format"] as? [String: Any])
        #expect(format["encoding"] as? String == "PCMU" && format["sample_rate"] as? Int == 8000 && format["channels"] as? Int == 1)
        let media = try #require(messages[3]["media"] as? [String: String])
        #expect(media["track"] == "inbound" && media["chunk"] == "2" && media["timestamp"] == "20")
        #expect(media["payload"].flatMap { Data(base64Encoded: $0) } == Data(repeating: 0xFF, count: 160))
        #expect(messages[4]["dtmf"] as? [String: String] == ["digit": "*"])
        #expect(messages[5]["mark"] as? [String: String] == ["name": "m"])
        #expect(messages[6]["stop"] as? [String: String] == ["call_control_id": id])
    }

    @Test func whatAgentsSay() throws {
        let (dialect, _, id) = try opened()
        let recorder = CommandRecorder()
        for text in [
            #"{"event":"media","media":{"payload":"/////w=="}}"#, #"{"event":"mark","stream_id":"\#(id)","mark":{"name":"x"}}"#,
            #"{"event":"clear"}"#, #"{"event":"clear","stream_id":"other"}"#, #"{"event":"speak"}"#, "[]",
        ] { dialect.receive(ByteBuffer(string: text), for: recorder) }
        dialect.receive(binary: ByteBuffer(bytes: [1]), for: recorder)
        #expect(recorder.played == [[0, 0, 0, 0]])
        #expect(recorder.marks == ["x"])
        #expect(recorder.clears == 1)
        #expect(recorder.misunderstood.count == 4)
    }
}
