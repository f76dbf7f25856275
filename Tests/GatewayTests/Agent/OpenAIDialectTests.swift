import Foundation
import NIOCore
import TestKit
import Testing

@testable import Gateway

@Suite struct OpenAIDialectTests {
    private static let id = CallID("0123456789abcdef0123456789abcdef")

    /// A dialect whose socket is up.
    private func opened(_ callerRates: [Int] = [8000], parameters: [String: String] = [:]) throws -> (OpenAIDialect, CommandRecorder) {
        let settings = OpenAIDialect.Settings(instructions: "Be short.", voice: "marin", tools: [.transferCall, .endCall])
        let (dialect, session) = (OpenAIDialect(callerRates: callerRates, settings: settings), CommandRecorder())
        var info = AgentCallInfo(call: try #require(Self.id), from: "+1415", to: "sales", account: "", parameters: ["instructions": "forged"])
        info.routeParameters = parameters
        dialect.opening(info, to: session.wire)
        return (dialect, session)
    }

    private func say(_ event: [String: Any], _ dialect: OpenAIDialect, _ session: CommandRecorder) throws {
        dialect.receive(ByteBuffer(bytes: try JSONSerialization.data(withJSONObject: event)), for: session)
    }

    private func sent(_ session: CommandRecorder) throws -> [[String: Any]] {
        try session.wire.texts.map { try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
    }

    private func types(_ session: CommandRecorder) throws -> [String] { try sent(session).compactMap { $0["type"] as? String } }

    /// The service takes the session as it was asked for, or with another format.
    private func start(_ dialect: OpenAIDialect, _ session: CommandRecorder, output: [String: Any]? = nil) throws {
        try say(["type": "session.created", "session": ["type": "realtime"]], dialect, session)
        let wish = try #require(try sent(session).last?["session"] as? [String: Any])
        var answer = wish
        if let output {
            var audio = try #require(wish["audio"] as? [String: Any])
            audio["output"] = ["format": output]
            answer["audio"] = audio
        }
        try say(["type": "session.updated", "session": answer], dialect, session)
    }

    private func delta(_ item: String, of response: String = "r", _ samples: Int, _ dialect: OpenAIDialect, _ session: CommandRecorder) throws {
        let audio = Data(repeating: 0xFF, count: samples * dialect.formats.agent.bytesPerSample).base64EncodedString()
        try say(
            ["type": "response.output_audio.delta", "response_id": response, "item_id": item, "content_index": 0, "delta": audio], dialect, session)
    }

    @Test func theSessionIsAskedForAndVerifiedBeforeAnythingElse() throws {
        let (dialect, session) = try opened()
        let frame = [Int16](repeating: 0, count: 160)
        frame.withUnsafeBufferPointer { dialect.audio($0, position: 0, to: session.wire) }
        #expect(session.wire.texts.isEmpty)
        try start(dialect, session)
        #expect(try types(session) == ["session.update", "input_audio_buffer.append", "response.create"])
        #expect(session.others == ["accept"])
        let wish = try #require(try sent(session)[0]["session"] as? [String: Any])
        #expect(wish["type"] as? String == "realtime" && wish["output_modalities"] as? [String] == ["audio"] && wish["instructions"] as? String == "Be short.")
        let audio = try #require(wish["audio"] as? [String: [String: Any]])
        #expect((audio["input"]?["format"] as? [String: Any])?["type"] as? String == "audio/pcmu")
        #expect(audio["output"]?["voice"] as? String == "marin")
        #expect((wish["tools"] as? [[String: Any]])?.map { $0["name"] as? String } == ["transfer_call", "end_call"])
        frame.withUnsafeBufferPointer { dialect.audio($0, position: 160, to: session.wire) }
        #expect(try sent(session).last?["audio"] as? String == Data(repeating: 0xFF, count: 160).base64EncodedString())
    }

    @Test func wideCallersSpeakWide() throws {
        let (dialect, session) = try opened([48_000, 24_000])
        try start(dialect, session)
        #expect(dialect.rate == 24_000 && dialect.playoutRate == 24_000)
        let audio = try #require((try sent(session)[0]["session"] as? [String: Any])?["audio"] as? [String: [String: Any]])
        #expect((audio["input"]?["format"] as? [String: Any])?["rate"] as? Int == 24_000)
    }

    @Test(arguments: [("end_call", ["end_call"]), ("transfer_call , end_call", ["transfer_call", "end_call"]), ("", []), ("fly", [])])
    func aRouteMayNameTheTools(text: String, tools: [String]) throws {
        let (dialect, session) = try opened(parameters: ["tools": text])
        try start(dialect, session)
        let wish = try #require(try sent(session)[0]["session"] as? [String: Any])
        #expect((wish["tools"] as? [[String: Any]] ?? []).map { $0["name"] as? String } == tools)
    }

    @Test func aRouteMayWordTheInstructionsAndABrowserMayNot() throws {
        let (dialect, session) = try opened(parameters: ["instructions": "Speak French."])
        try start(dialect, session)
        #expect((try sent(session)[0]["session"] as? [String: Any])?["instructions"] as? String == "Speak French.")
    }

    @Test func anotherFormatIsUnderstoodOrRefused() throws {
        let (dialect, session) = try opened()
        try start(dialect, session, output: ["type": "audio/pcm", "rate": 24_000])
        #expect(dialect.playoutRate == 24_000 && session.others == ["accept"])
        let (other, refusing) = try opened()
        try start(other, refusing, output: ["type": "audio/opus"])
        #expect(refusing.others == ["reject 480"])
    }

    @Test func linearSoundInPlaceOfPCMUIsNotPlayedAsNoise() throws {
        let (dialect, session) = try opened()
        try start(dialect, session)
        let sound = SoundMaterial.tone(hertz: 440, seconds: 0.5, rate: 24_000)
        let bytes = sound.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        for part in stride(from: 0, to: bytes.count, by: 4800) {
            let audio = Data(bytes[part..<(part + 4800)]).base64EncodedString()
            try say(["type": "response.output_audio.delta", "item_id": "a", "content_index": 0, "delta": audio], dialect, session)
        }
        let played = session.played.flatMap { $0 }
        #expect(abs(played.count - 4000) < 100)
        let report = ToneMeter.analyse(Array(played.dropFirst(100)), rate: 8000, expectedHz: 440)
        #expect(abs(report.frequency - 440) < 1 && report.snr > 30)
        #expect(session.misunderstood.count == 1, "\(session.misunderstood)")
    }

    @Test func anInterruptedAnswerIsCutAtTheHeardPosition() throws {
        let (dialect, session) = try opened()
        try start(dialect, session)
        for _ in 0..<4 { try delta("a", 8000, dialect, session) }
        try delta("b", 8000, dialect, session)
        try say(["type": "input_audio_buffer.speech_started", "audio_start_ms": 5, "item_id": "u"], dialect, session)
        #expect(session.clears == 1)
        dialect.cleared(PlayoutCut(marks: [], heard: 10_000, dropped: 30_000, cause: .agent), to: session.wire)
        let cuts = try sent(session).filter { $0["type"] as? String == "conversation.item.truncate" }
        #expect(cuts.map { $0["item_id"] as? String } == ["a", "b"] && cuts.map { $0["audio_end_ms"] as? Int } == [1250, 0])
        #expect(try !types(session).contains("response.cancel"))
        // What is late of them is dropped; the next answer is played.
        let before = session.played.count
        try delta("a", 800, dialect, session)
        try delta("c", 800, dialect, session)
        #expect(session.played.count == before + 1)
    }

    /// Everything that had come of it was heard when the caller spoke; what is under way still is not, nor an item that begins too late.
    @Test func nothingMoreIsHeardOfAResponseThatWasInterrupted() throws {
        let (dialect, session) = try opened()
        try start(dialect, session)
        try say(["type": "response.created", "response": ["id": "r1"]], dialect, session)
        try delta("a", of: "r1", 8000, dialect, session)
        session.position.heard = 8000
        dialect.cleared(PlayoutCut(marks: [], heard: 8000, dropped: 0, cause: .agent), to: session.wire)
        #expect(try !types(session).contains("conversation.item.truncate"))
        for item in ["a", "a", "b"] { try delta(item, of: "r1", 800, dialect, session) }
        #expect(session.played.count == 1)
        let cuts = try sent(session).filter { $0["type"] as? String == "conversation.item.truncate" }
        #expect(cuts.map { $0["item_id"] as? String } == ["a", "b"] && cuts.map { $0["audio_end_ms"] as? Int } == [1000, 0])
        try say(["type": "response.done", "response": ["id": "r1", "status": "cancelled"]], dialect, session)
        try say(["type": "response.created", "response": ["id": "r2"]], dialect, session)
        try delta("c", of: "r2", 800, dialect, session)
        #expect(session.played.count == 2)
        // What is cut off after its response was all there is no matter of the next one.
        try say(["type": "response.done", "response": ["id": "r2"]], dialect, session)
        dialect.cleared(PlayoutCut(marks: [], heard: 8800, dropped: 0, cause: .agent), to: session.wire)
        try say(["type": "response.created", "response": ["id": "r3"]], dialect, session)
        try delta("d", of: "r3", 800, dialect, session)
        #expect(session.played.count == 3)
    }

    @Test func theGatewaysOwnInterruptionCancelsTheResponse() throws {
        let (dialect, session) = try opened()
        try start(dialect, session)
        try delta("a", 8000, dialect, session)
        dialect.cleared(PlayoutCut(marks: [], heard: 800, dropped: 7200, cause: .bargeIn), to: session.wire)
        #expect(try types(session).suffix(2) == ["response.cancel", "conversation.item.truncate"])
    }

    @Test func toolsAreRunWhenTheResponseIsThere() throws {
        let (dialect, session) = try opened()
        try start(dialect, session)
        let call: [String: Any] = ["type": "function_call", "name": "transfer_call", "call_id": "c1", "arguments": #"{"destination":"+14155550199"}"#]
        try say(["type": "response.output_item.done", "item": call], dialect, session)
        #expect(session.others == ["accept"])
        try say(["type": "response.done", "response": ["status": "completed"]], dialect, session)
        #expect(session.others == ["accept", "transfer +14155550199 1 true"])
        dialect.transfer(AgentTransferProgress(reference: 1, state: .failed, sipStatus: 486, detail: "busy"), to: session.wire)
        let output = try #require(try sent(session).dropLast().last?["item"] as? [String: Any])
        #expect(output["type"] as? String == "function_call_output" && output["call_id"] as? String == "c1")
        #expect(try types(session).last == "response.create")
        try say(["type": "response.output_item.done", "item": ["type": "function_call", "name": "end_call", "call_id": "c2"]], dialect, session)
        try say(["type": "response.done", "response": [:]], dialect, session)
        #expect(session.others.last == "hangUp agent_hangup true")
    }

    /// Keeps the functions that are called, for the test to finish them.
    private final class Functions: AgentFunctionCaller {
        var called: [(name: String, call: String, arguments: String, done: (Result<String, WebRequest.Failure>) -> Void)] = []
        func call(_ name: String, callID: String, arguments: String, done: @escaping (Result<String, WebRequest.Failure>) -> Void) {
            called.append((name, callID, arguments, done))
        }
    }

    private func withFunctions() throws -> (OpenAIDialect, CommandRecorder, Functions) {
        let functions = Functions()
        let (dialect, session) = try opened()
        dialect.settings.functions = ["look_up", "weigh"].map { AgentFunction(name: $0, definition: Array(#"{"type":"function","name":"\#($0)"}"#.utf8)) }
        dialect.settings.caller = functions
        try start(dialect, session)
        for (name, call) in [("look_up", "c1"), ("weigh", "c2"), ("dance", "c3")] {
            try say(["type": "response.output_item.done", "item": ["type": "function_call", "name": name, "call_id": call, "arguments": #"{"n":1}"#]], dialect, session)
        }
        return (dialect, session, functions)
    }

    private func outputs(_ session: CommandRecorder) throws -> [String: String] {
        let items = try sent(session).compactMap { $0["item"] as? [String: Any] }.filter { $0["type"] as? String == "function_call_output" }
        return Dictionary(items.compactMap { item in (item["call_id"] as? String).map { ($0, item["output"] as? String ?? "") } }) { first, _ in first }
    }

    @Test func functionsAreCarriedOutAndTheModelSpeaksWhenAllResultsAreThere() throws {
        let (dialect, session, functions) = try withFunctions()
        let tools = (try sent(session)[0]["session"] as? [String: Any])?["tools"] as? [[String: Any]]
        #expect(tools?.compactMap { $0["name"] as? String } == ["transfer_call", "end_call", "look_up", "weigh"])
        #expect(functions.called.isEmpty)
        try say(["type": "response.done", "response": [:]], dialect, session)
        #expect(functions.called.map(\.name) == ["look_up", "weigh"] && functions.called[0].arguments == #"{"n":1}"#)
        let creations = try types(session).count { $0 == "response.create" }
        functions.called[0].done(.success(#"{"price":3}"#))
        #expect(try types(session).count { $0 == "response.create" } == creations)
        functions.called[1].done(.failure(WebRequest.Failure(reason: "it answered HTTP 500")))
        #expect(try types(session).count { $0 == "response.create" } == creations + 1)
        let results = try outputs(session)
        #expect(results["c1"] == #"{"price":3}"# && results["c2"]?.contains("failed") == true && results["c3"]?.contains("no such tool") == true)
        // A result that comes twice is said once.
        functions.called[0].done(.success("{}"))
        #expect(try outputs(session).count == 3)
    }

    @Test func aResultThatComesWhileTheModelSpeaksIsAnsweredAfterwards() throws {
        let (dialect, session, functions) = try withFunctions()
        try say(["type": "response.done", "response": [:]], dialect, session)
        try say(["type": "response.created", "response": [:]], dialect, session)
        let before = try types(session).count
        for call in functions.called { call.done(.success("1")) }
        #expect(try types(session).dropFirst(before).allSatisfy { $0 == "conversation.item.create" })
        try say(["type": "response.done", "response": [:]], dialect, session)
        #expect(try types(session).last == "response.create")
    }

    @Test func resultsForASessionThatIsOverAreNotSaid() throws {
        let (dialect, session, functions) = try withFunctions()
        try say(["type": "response.done", "response": [:]], dialect, session)
        dialect.resuming(PlayoutPosition(heard: 0, end: 0), to: session.wire)
        let before = session.wire.texts.count
        for call in functions.called { call.done(.success("1")) }
        #expect(session.wire.texts.count == before)
    }

    @Test func theFirstWordIsTheGivenOneOrTheCallers() throws {
        let (dialect, session) = try opened()
        dialect.settings.greeting = "Bakery, good day."
        try start(dialect, session)
        #expect(((try sent(session).last?["response"] as? [String: Any])?["instructions"] as? String)?.contains("Bakery, good day.") == true)
        let (silent, waiting) = try opened()
        silent.settings.greeting = ""
        try start(silent, waiting)
        #expect(try types(waiting) == ["session.update"])
    }

    @Test func keysBecomeOneTextOfTheCaller() throws {
        let (dialect, session) = try opened()
        try start(dialect, session)
        try say(["type": "response.done", "response": [:]], dialect, session)
        for key in "12" { dialect.digit(try #require(Digit(key)), to: session.wire) }
        let playout = PlayoutPosition(heard: 0, end: 0)
        for _ in 0..<74 { dialect.slot(playout, call: AgentSlotFigures(gaps: 0, framesDropped: 0), to: session.wire) }
        let count = session.wire.texts.count
        dialect.slot(playout, call: AgentSlotFigures(gaps: 0, framesDropped: 0), to: session.wire)
        #expect(session.wire.texts.count == count + 2)
        #expect(session.wire.texts[count].contains("telephone: 12") && session.wire.texts[count + 1].contains("response.create"))
    }

    @Test func aSessionThatEndsIsFollowedByOneThatKnowsWhatWasSaid() throws {
        let (dialect, session) = try opened()
        dialect.longestAge = 3
        try start(dialect, session)
        try say(["type": "conversation.item.input_audio_transcription.completed", "item_id": "u", "transcript": "Two loaves."], dialect, session)
        try say(["type": "response.output_audio_transcript.done", "item_id": "a", "transcript": "Of which?"], dialect, session)
        try say(["type": "response.done", "response": [:]], dialect, session)
        let playout = PlayoutPosition(heard: 0, end: 0)
        for _ in 0..<3 { dialect.slot(playout, call: AgentSlotFigures(gaps: 0, framesDropped: 0), to: session.wire) }
        #expect(session.others.last == "renew")
        dialect.resuming(playout, to: session.wire)
        [Int16](repeating: 1, count: 160).withUnsafeBufferPointer { dialect.audio($0, position: 0, to: session.wire) }
        let before = session.wire.texts.count
        try start(dialect, session)
        #expect(session.others.last == "resumed")
        let after = try sent(session).dropFirst(before)
        #expect(after.compactMap { $0["type"] as? String } == [
            "session.update", "conversation.item.create", "conversation.item.create", "input_audio_buffer.append",
        ])
        let items = after.compactMap { $0["item"] as? [String: Any] }
        #expect(items.map { $0["role"] as? String } == ["user", "assistant"])
        try say(["type": "error", "error": ["type": "invalid_request_error", "code": "session_expired", "message": "over"]], dialect, session)
        #expect(session.others.last == "renew")
    }

    /// A service that breaks its sound into pieces of any length may break a sample.
    @Test func halfASampleIsMadeWholeByTheNextPiece() throws {
        let (dialect, session) = try opened([48_000])
        try start(dialect, session)
        let samples = (0..<40).map { Int16($0 * 801 - 16_000) }
        let bytes = samples.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        func delta(_ range: Range<Int>, of item: String) throws {
            let text = Data(bytes[range]).base64EncodedString()
            try say(["type": "response.output_audio.delta", "item_id": item, "content_index": 0, "delta": text], dialect, session)
        }
        for range in [0..<7, 7..<8, 8..<41, 41..<80] { try delta(range, of: "a") }
        #expect(session.played.flatMap { $0 } == samples)
        // What another answer left over belongs to it.
        try delta(0..<3, of: "b")
        try delta(0..<4, of: "c")
        #expect(session.played.flatMap { $0 } == samples + [samples[0]] + samples[0..<2])
    }

    @Test func whatIsSaidWhileNoSessionIsThereIsSaidToTheNextOne() throws {
        let (dialect, session) = try opened()
        try start(dialect, session)
        dialect.broke()
        let before = session.wire.texts.count
        for _ in 0..<3 { [Int16](repeating: 1, count: 160).withUnsafeBufferPointer { dialect.audio($0, position: 0, to: session.wire) } }
        #expect(session.wire.texts.count == before)
        dialect.resuming(PlayoutPosition(heard: 0, end: 0), to: session.wire)
        try start(dialect, session)
        #expect(try types(session).dropFirst(before).filter { $0 == "input_audio_buffer.append" }.count == 3)
    }

    @Test func aRefusedSessionIsARefusedCallAndLaterErrorsAreBorne() throws {
        let (dialect, session) = try opened()
        try say(["type": "error", "error": ["type": "invalid_request_error", "code": "model_not_found", "message": "no"]], dialect, session)
        #expect(session.others == ["reject 480"])
        let (other, running) = try opened()
        try start(other, running)
        try say(["type": "error", "error": ["code": "response_cancel_not_active", "message": "none"]], other, running)
        #expect(running.others == ["accept"] && running.misunderstood.count == 1)
    }

    @Test func nonsenseIsIgnored() throws {
        var generator = SeededGenerator(seed: 3)
        let (dialect, session) = try opened()
        try start(dialect, session)
        let good = Array(#"{"type":"response.output_audio.delta","item_id":"a","content_index":0,"delta":"AAAA////AAAA"}"#.utf8)
        for _ in 0..<2000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 32...126, using: &generator)
            }
            dialect.receive(ByteBuffer(bytes: bytes), for: session)
        }
        #expect(session.others == ["accept"])
    }

    @Test(arguments: [
        ("wss://x/v1/realtime", "gpt-realtime", "wss://x/v1/realtime?model=gpt-realtime"),
        ("wss://x/v1/realtime?a=b", "m", "wss://x/v1/realtime?a=b&model=m"), ("wss://x/?model=n", "m", "wss://x/?model=n"),
        ("wss://x/", "a b&c", "wss://x/?model=a%20b%26c"),
    ]) func theModelIsNamedInTheAddress(_ url: String, _ model: String, _ wanted: String) {
        #expect(OpenAIDialect.url(url, model: model) == wanted)
    }
}
