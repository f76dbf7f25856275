import NIOCore
import Testing

@testable import SIPStack

/// INFO of ours within a dialog.
@Suite struct InfoTests {
    private static let body = "Signal=5\r\nDuration=100\r\n"

    private func inform(_ harness: Harness, _ call: SIPCallID = Callee.id) {
        harness.run { $0.sendInfo(call, contentType: "application/dtmf-relay", body: Array(Self.body.utf8), now: $1, into: &$2) }
    }

    private func answered(_ harness: Harness) throws -> ParsedMessage {
        let invite = try #require(harness.dial(try Callee.order()))
        harness.respond(200, to: invite, body: Harness.sdp)
        _ = harness.takeSent()
        _ = harness.takeEvents()
        return invite
    }

    @Test func itGoesTheWayOfTheDialogAndIsRepeatedUntilItIsAnswered() throws {
        let harness = Harness()
        _ = try answered(harness)
        inform(harness)
        let info = try #require(harness.takeSent().first)
        #expect(info.startLine == "INFO sip:callee@198.51.100.7:5070 SIP/2.0" && info["CSeq"] == "2 INFO" && info.toTag == "callee1")
        #expect(info["Content-Type"] == "application/dtmf-relay" && info.body == Self.body && info["Content-Length"] == "\(Self.body.utf8.count)")
        harness.advance(.milliseconds(600))
        #expect(harness.takeSent().map(\.text) == [info.text])
        harness.respond(200, to: info)
        harness.advance(.seconds(40))
        #expect(harness.takeSent().isEmpty && harness.events.isEmpty)
        inform(harness)
        #expect(harness.takeSent().first?["CSeq"] == "3 INFO")
    }

    @Test func beforeTheAnswerAndAfterTheEndNothingIsSent() throws {
        let harness = Harness()
        let invite = try #require(harness.dial(try Callee.order()))
        harness.respond(183, to: invite, body: Harness.sdp)
        _ = harness.takeSent()
        inform(harness)
        #expect(harness.takeSent().isEmpty)
        harness.respond(200, to: invite)
        harness.run { $0.hangUp(Callee.id, now: $1, into: &$2) }
        _ = harness.takeSent()
        inform(harness)
        #expect(harness.takeSent().isEmpty)
    }

    @Test(arguments: [404, 481, 500]) func aRefusalEndsNothing(_ status: Int) throws {
        let harness = Harness()
        _ = try answered(harness)
        inform(harness)
        harness.respond(status, to: try #require(harness.takeSent().first))
        #expect(harness.events.isEmpty && harness.endpoint.counters.dialogsAlive == 1)
        harness.run { $0.hangUp(Callee.id, now: $1, into: &$2) }
        #expect(harness.takeSent().first?.method == "BYE")
    }
}
