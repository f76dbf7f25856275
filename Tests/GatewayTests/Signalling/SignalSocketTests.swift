import NIOCore
import Testing
@testable import Gateway

@Suite(.timeLimit(.minutes(5))) struct SignalSocketTests {
    private static let hangUp = #"{"type":"hangup"}"#

    private static func call(_ to: String) -> String { #"{"type":"call","to":"\#(to)","sdp":"v=0","parameters":{"page":"shop"}}"# }

    private static func resume(_ id: String?) -> String { #"{"type":"resume","session":"\#(id ?? "")"}"# }

    /// A socket with a running call, and the name of its session.
    private func caller(_ fixture: ServerFixture) async throws -> (RawConnection, String) {
        let socket = try await fixture.socket()
        try await socket.sendText(Self.call("demo"))
        let session = try await socket.frame()
        #expect(session["type"] == "session")
        #expect(try await socket.types(1) == ["answer"])
        return (socket, session["id"] ?? "")
    }

    @Test func handshakeNeedsSubprotocolAndOrigin() async throws {
        try await ServerFixture.run { fixture in
            let taken = try await fixture.connect().handshake()
            #expect(taken.status == 101 && taken.headers["sec-websocket-protocol"] == "tandem.signal.v1")
            #expect(taken.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
            #expect(taken.headers["sec-websocket-extensions"] == nil)
            #expect(try await fixture.connect().handshake(path: "/signal?x=1", subprotocol: "other, tandem.signal.v1").status == 101)
            #expect(try await fixture.connect().handshake(origin: "https://shop.example").status == 101)
            #expect(try await fixture.connect().handshake(origin: "http://gateway.example:8080").status == 101)
            for (subprotocol, origin, status) in [(nil, nil, 400), ("other", nil, 400), ("tandem.signal.v1", "https://evil.example", 403)] as [(String?, String?, Int)] {
                let connection = try await fixture.connect()
                let refused = try await connection.handshake(subprotocol: subprotocol, origin: origin)
                #expect(refused.status == status && refused.headers["content-type"] == "application/problem+json")
                #expect(refused.headers["connection"]?.hasPrefix("close") == true)
                #expect(await connection.isClosedByPeer())
            }
            let plain = try await fixture.request("GET", "/signal")
            #expect(plain.status == 426 && plain.headers["upgrade"] == "websocket")
            #expect(try await fixture.connect().handshake(path: "/healthz").status == 200)
            let version = ["Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Protocol": "tandem.signal.v1"]
            #expect(try await fixture.request("GET", "/signal", version).status == 400)
            let java = ["Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAEAAEAAAAIAAAAB"]
            #expect(try await fixture.request("GET", "/healthz", java).status == 200)
            let called = try await fixture.request("POST", "/whip/demo", java.merging(["Content-Type": "application/sdp"]) { $1 }, body: WHIPTests.sdp)
            #expect(called.status == 201)
            let second = try await fixture.connect()
            #expect(try await second.request("GET", "/healthz").status == 200)
            #expect(try await second.handshake().status == 400)
            #expect(await second.isClosedByPeer())
        }
    }

    @Test func runsACallInOrder() async throws {
        try await ServerFixture.run { fixture in
            let socket = try await fixture.socket()
            try await socket.sendText(Self.call("demo"))
            let session = try await socket.frame()
            #expect(session["type"] == "session" && session["resume_seconds"] == "30")
            #expect(session["id"] == FakeBrowserCalls.call(1).description)
            #expect(session.text.contains(#""urls":["turn:turn.example:3478?transport=udp"]"#))
            let answer = try await socket.frame()
            #expect(answer["type"] == "answer" && answer["sdp"] == "answer to demo")
            fixture.calls.tell(FakeBrowserCalls.call(1), .ringing)
            fixture.calls.tell(FakeBrowserCalls.call(1), .connected)
            #expect(try await socket.types(2) == ["ringing", "connected"])
            for message in [#"{"type":"candidate","candidate":"x"}"#, #"{"type":"dtmf","digits":"12"}"#, #"{"type":"mute","on":true}"#] {
                try await socket.sendText(message)
            }
            try await socket.sendText(#"{"type":"restart","sdp":"again"}"#)
            #expect(try await socket.frame()["sdp"] == "answer to again")
            try await socket.sendText(#"{"type":"restart","sdp":"bad"}"#)
            #expect(try await socket.frame()["code"] == "400")
            try await socket.sendText(Self.hangUp)
            let ended = try await socket.frame()
            #expect(ended["type"] == "ended" && ended["cause"] == "caller_hangup" && ended["sip_code"] == "487")
            #expect(await fixture.calls.actions(4) == [
                .offered(to: "demo", parameters: ["page": "shop"]), .pressed("12"), .muted(true), .hungUp(FakeBrowserCalls.call(1), .callerHangup),
            ])
            // The same socket may call again.
            #expect(await fixture.server.sessionCount() == 0)
            try await socket.sendText(Self.call("early"))
            #expect(try await socket.types(4) == ["session", "answer", "ringing", "connected"])
            #expect(await fixture.server.sessionCount() == 1)
        }
    }

    @Test(arguments: [("nobody", "404", "no_route"), ("closed", "503", "draining"), ("codec", "406", "failed")])
    func refusedCall(to: String, code: String, cause: String) async throws {
        try await ServerFixture.run { fixture in
            let socket = try await fixture.socket()
            for _ in 0..<2 {
                try await socket.sendText(Self.call(to))
                let error = try await socket.frame()
                #expect(error["type"] == "error" && error["code"] == code && error["detail"] == "Do something else than \(code).")
                let ended = try await socket.frame()
                #expect(ended["type"] == "ended" && ended["cause"] == cause)
                #expect(await fixture.server.sessionCount() == 0)
            }
        }
    }

    @Test func oneCallAtATime() async throws {
        try await ServerFixture.run { fixture in
            let (socket, id) = try await caller(fixture)
            for message in [Self.call("demo"), Self.resume(id)] {
                try await socket.sendText(message)
                #expect(try await socket.frame()["code"] == "409")
            }
            let idle = try await fixture.socket()
            try await idle.sendText(Self.hangUp)
            try await idle.sendText(#"{"type":"mute","on":true}"#)
            #expect(try await idle.frame()["code"] == "409")
        }
    }

    @Test func nonsenseIsAnsweredAndTheSocketStays() async throws {
        try await ServerFixture.run { fixture in
            let (socket, _) = try await caller(fixture)
            for nonsense in ["", "{", "null", #"{"type":"fly"}"#, #"{"type":"dtmf","digits":5}"#] {
                try await socket.sendText(nonsense)
                let error = try await socket.frame()
                #expect(error["type"] == "error" && error["code"] == "400" && error["detail"]?.isEmpty == false)
            }
            try await socket.sendText(Self.hangUp)
            #expect(try await socket.types(1) == ["ended"])
        }
    }

    @Test func lostSocketIsResumed() async throws {
        try await ServerFixture.run { fixture in
            let (socket, id) = try await caller(fixture)
            try await socket.close()
            let other = try await fixture.socket()
            try await other.sendText(Self.resume(id))
            let session = try await other.frame()
            #expect(session["type"] == "session" && session["id"] == id)
            fixture.calls.tell(FakeBrowserCalls.call(1), .connected)
            #expect(try await other.types(1) == ["connected"])
            try await other.sendText(Self.hangUp)
            #expect(try await other.types(1) == ["ended"])
            // Over and unknown sessions are the same to a stranger.
            for name in [id, FakeBrowserCalls.call(77).description, "x"] {
                try await other.sendText(Self.resume(name))
                #expect(try await other.frame()["code"] == "404")
            }
        }
    }

    @Test func resumeTakesALivingSocketOver() async throws {
        try await ServerFixture.run { fixture in
            let (socket, id) = try await caller(fixture)
            fixture.calls.tell(FakeBrowserCalls.call(1), .connected)
            #expect(try await socket.types(1) == ["connected"])
            let other = try await fixture.socket()
            try await other.sendText(Self.resume(id))
            #expect(try await other.types(2) == ["session", "connected"])
            #expect(try await socket.frame().code == 1000)
            try await socket.sendFrame(8, [0x03, 0xe8])
            #expect(await socket.isClosedByPeer())
            try await other.sendText(#"{"type":"dtmf","digits":"9"}"#)
            #expect(await fixture.calls.actions(2).last == .pressed("9"))
        }
    }

    @Test func callWithoutSocketEnds() async throws {
        try await ServerFixture.run({ $0.resumeWindow = .milliseconds(50) }) { fixture in
            let (socket, id) = try await caller(fixture)
            try await socket.close()
            #expect(await fixture.calls.actions(2).last == .hungUp(FakeBrowserCalls.call(1), .connectionLost))
            let other = try await fixture.socket()
            try await other.sendText(Self.resume(id))
            #expect(try await other.frame()["code"] == "404")
            #expect(await fixture.server.sessionCount() == 0)
        }
    }

    @Test func socketLostBeforeTheAnswerHangsUp() async throws {
        try await ServerFixture.run { fixture in
            let socket = try await fixture.socket()
            try await socket.sendText(Self.call("slow"))
            _ = await fixture.calls.actions(1)
            // A closing handshake: once it is answered, the gateway knows that the socket is gone.
            try await socket.sendFrame(8, [0x03, 0xe9])
            #expect(try await socket.frame().code == 1001)
            while !fixture.calls.isHolding { await Task.yield() }
            fixture.calls.release()
            #expect(await fixture.calls.actions(2).last == .hungUp(FakeBrowserCalls.call(1), .connectionLost))
        }
    }

    @Test func hangUpBeforeTheAnswerIsKept() async throws {
        try await ServerFixture.run { fixture in
            let socket = try await fixture.socket()
            try await socket.sendText(Self.call("slow"))
            try await socket.sendText(Self.hangUp)
            while !fixture.calls.isHolding { await Task.yield() }
            fixture.calls.release()
            #expect(try await socket.types(3) == ["session", "answer", "ended"])
        }
    }

    @Test func joinsFragmentsAndAnswersPings() async throws {
        try await ServerFixture.run { fixture in
            let socket = try await fixture.socket()
            let text = Array(Self.call("demo").utf8)
            try await socket.sendFrame(1, Array(text[..<5]), final: false)
            try await socket.sendFrame(9, [1, 2, 3])
            #expect(try await socket.frame() == .init(opcode: 10, payload: [1, 2, 3]))
            try await socket.sendFrame(0, Array(text[5..<9]), final: false)
            try await socket.sendFrame(0, Array(text[9...]))
            #expect(try await socket.types(2) == ["session", "answer"])
        }
    }

    @Test func messagesUpTo256KiBAreRead() async throws {
        try await ServerFixture.run { fixture in
            let socket = try await fixture.socket()
            let frame = #"{"type":"hangup","x":""}"#
            let padding = String(repeating: "y", count: 256 * 1024 - frame.utf8.count)
            try await socket.sendText(frame.replacing(#""""#, with: "\"\(padding)\""))
            try await socket.sendText("?")
            #expect(try await socket.frame()["code"] == "400")
        }
    }

    @Test(arguments: ["long", "long fragments", "binary", "text not UTF-8", "unmasked", "reserved bit", "stray continuation", "interleaved", "control too long", "opcode"])
    func closesWithTheRightCode(what: String) async throws {
        let long = [UInt8](repeating: 0x20, count: 200 * 1024)
        try await ServerFixture.run { fixture in
            let socket = try await fixture.socket()
            let code: Int
            switch what {
            case "long":
                code = 1009
                try await socket.sendFrame(1, [UInt8](repeating: 0x20, count: 256 * 1024 + 1))
            case "long fragments":
                code = 1009
                try await socket.sendFrame(1, long, final: false)
                try await socket.sendFrame(0, long, final: false)
            case "binary":
                code = 1003
                try await socket.sendFrame(2, [1])
            case "text not UTF-8":
                code = 1007
                try await socket.sendFrame(1, [0xff])
            case "unmasked":
                code = 1002
                try await socket.sendFrame(1, [0x7b], masked: false)
            case "reserved bit":
                code = 1002
                try await socket.sendFrame(1, [0x7b], reserved: 0x40)
            case "stray continuation":
                code = 1002
                try await socket.sendFrame(0, [0x7b])
            case "interleaved":
                code = 1002
                try await socket.sendFrame(1, [0x7b], final: false)
                try await socket.sendFrame(1, [0x7d])
            case "control too long":
                code = 1002
                try await socket.sendFrame(9, [UInt8](repeating: 0, count: 126))
            default:
                code = 1002
                try await socket.sendFrame(3, [1])
            }
            #expect(try await socket.frame().code == code)
            try await socket.sendFrame(8, [])
        }
    }

    @Test func closeIsAnswered() async throws {
        try await ServerFixture.run { fixture in
            for (payload, code) in [([], 1000), ([0x0f, 0xa1], 4001), ([0x03, 0xed], 1002), ([1], 1002)] as [([UInt8], Int)] {
                let socket = try await fixture.socket()
                try await socket.sendFrame(8, payload)
                #expect(try await socket.frame().code == code)
                #expect(await socket.isClosedByPeer())
            }
        }
    }

    @Test func silentSocketIsPingedAndGivenUp() async throws {
        try await ServerFixture.run({ configuration in
            configuration.socketTiming.pingEvery = .milliseconds(10)
            configuration.socketTiming.deadAfter = .seconds(3)
            configuration.resumeWindow = .milliseconds(10)
        }) { fixture in
            let (socket, _) = try await caller(fixture)
            #expect(try await socket.anyFrame().opcode == 9)
            #expect(await fixture.calls.actions(2).last == .hungUp(FakeBrowserCalls.call(1), .connectionLost))
        }
    }
}
