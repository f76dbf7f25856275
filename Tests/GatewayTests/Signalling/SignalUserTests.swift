import NIOCore
import Testing
@testable import Gateway

/// Users who are signed in at signal sockets.
@Suite(.timeLimit(.minutes(5))) struct SignalUserTests {
    private static let register = #"{"type":"register","user":"alice"}"#
    private static let call = FakeBrowserCalls.call(0xa11)
    private static let incoming = IncomingCall(invitation: call, from: "+14155550100", to: "sales", parameters: [:])

    private func user(_ fixture: ServerFixture) async throws -> RawConnection {
        let socket = try await fixture.socket()
        try await socket.sendText(Self.register)
        let reply = try await socket.frame()
        #expect(reply["type"] == "registered" && reply["user"] == "alice")
        return socket
    }

    @Test func ringsIsAcceptedAndEnds() async throws {
        try await ServerFixture.run { fixture in
            let socket = try await user(fixture)
            #expect(await fixture.calls.actions(1) == [.signedIn("alice")])
            fixture.calls.tell(user: "alice", .incoming(Self.incoming))
            let rings = try await socket.frame()
            #expect(rings["type"] == "incoming" && rings["call"] == Self.call.description && rings["from"] == "+14155550100")
            try await socket.sendText(#"{"type":"accept","call":"\#(Self.call)","sdp":"v=0"}"#)
            let session = try await socket.frame()
            #expect(session["type"] == "session" && session["id"] == Self.call.description)
            #expect(try await socket.frame()["sdp"] == "answer to v=0")
            fixture.calls.tell(Self.call, .connected)
            #expect(try await socket.types(1) == ["connected"])
            try await socket.sendText(#"{"type":"dtmf","digits":"7"}"#)
            try await socket.sendText(#"{"type":"hangup"}"#)
            #expect(try await socket.types(1) == ["ended"])
            #expect(await fixture.calls.actions(4).dropFirst() == [
                .accepted(Self.call, byUser: "alice"), .pressed("7"), .hungUp(Self.call, .callerHangup),
            ])
            // Still signed in.
            fixture.calls.tell(user: "alice", .incoming(Self.incoming))
            #expect(try await socket.types(1) == ["incoming"])
        }
    }

    @Test func declinesAndIsToldThatACallIsOver() async throws {
        try await ServerFixture.run { fixture in
            let socket = try await user(fixture)
            try await socket.sendText(#"{"type":"decline","call":"\#(Self.call)","code":480}"#)
            #expect(await fixture.calls.actions(2).last == .declined(Self.call, byUser: "alice", 480))
            fixture.calls.tell(user: "alice", .over(Self.call, CallEnd(.callerHangup)))
            let over = try await socket.frame()
            #expect(over["type"] == "ended" && over["call"] == Self.call.description && over["cause"] == "caller_hangup")
        }
    }

    @Test func aConnectionThatTalksIsBusy() async throws {
        try await ServerFixture.run { fixture in
            let socket = try await user(fixture)
            try await socket.sendText(#"{"type":"call","to":"demo","sdp":"v=0"}"#)
            #expect(try await socket.types(2) == ["session", "answer"])
            fixture.calls.tell(user: "alice", .incoming(Self.incoming))
            #expect(await fixture.calls.actions(3).last == .declined(Self.call, byUser: "alice", 486))
            try await socket.sendText(#"{"type":"accept","call":"\#(Self.call)","sdp":"v=0"}"#)
            #expect(try await socket.frame()["code"] == "409")
        }
    }

    @Test func anotherConnectionMayAcceptForItKnowsTheCall() async throws {
        try await ServerFixture.run { fixture in
            _ = try await user(fixture)
            let other = try await fixture.socket()
            try await other.sendText(#"{"type":"accept","call":"\#(Self.call)","sdp":"v=0"}"#)
            #expect(try await other.types(2) == ["session", "answer"])
            #expect(await fixture.calls.actions(2).last == .accepted(Self.call, byUser: nil))
            try await other.sendText(#"{"type":"hangup"}"#)
            #expect(try await other.types(1) == ["ended"])
            try await other.sendText(#"{"type":"accept","call":"\#(Self.call)","sdp":"late"}"#)
            #expect(try await other.frame()["code"] == "410")
            #expect(try await other.types(1) == ["ended"])
        }
    }

    @Test func namesThatAreNoneAreRefused() async throws {
        try await ServerFixture.run { fixture in
            let socket = try await user(fixture)
            for message in [#"{"type":"accept","call":"x","sdp":"v=0"}"#, #"{"type":"decline","call":"x"}"#] {
                try await socket.sendText(message)
                #expect(try await socket.frame()["code"] == "404")
            }
            let stranger = try await fixture.socket()
            try await stranger.sendText(#"{"type":"decline","call":"\#(Self.call)"}"#)
            #expect(try await stranger.frame()["code"] == "404")
        }
    }

    @Test func aConnectionIsOneUsersAndSignsOutWhenItCloses() async throws {
        try await ServerFixture.run { fixture in
            let socket = try await user(fixture)
            try await socket.sendText(#"{"type":"register","user":"bob"}"#)
            #expect(try await socket.frame()["user"] == "bob")
            #expect(await fixture.calls.actions(3) == [.signedIn("alice"), .signedOut("alice"), .signedIn("bob")])
            try await socket.close()
            #expect(await fixture.calls.actions(4).last == .signedOut("bob"))
        }
    }

    @Test func aUserMayNotSignInWithoutEnd() async throws {
        try await ServerFixture.run { fixture in
            for _ in 0..<UserSocket.mostOfOneUser { _ = try await user(fixture) }
            let socket = try await fixture.socket()
            try await socket.sendText(Self.register)
            #expect(try await socket.frame()["code"] == "429")
        }
    }
}
