import Foundation
import NIOCore
import Testing

@testable import Gateway

/// What `stats` of the signal socket makes of a leg's figures.
@Suite struct SignalStatisticsTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func figures(received: Int, lost: Int, octets: Int, sent: Int) -> LegFigures {
        var figures = LegFigures(isBrowser: true, codec: "opus")
        figures.rtp.packetsReceived = received
        figures.rtp.lost = lost
        figures.rtp.octetsReceived = octets
        figures.rtp.packetsSent = sent
        figures.rtp.octetsSent = octets * 2
        figures.inbound.concealedMilliseconds = 20 * lost
        return figures
    }

    @Test func ratesAreThoseSinceTheLastReport() throws {
        var statistics = SignalStatistics()
        let nothing = statistics.report(figures(received: 100, lost: 0, octets: 8000, sent: 100), now: Self.start)
        #expect(nothing == nil)
        let firstReport = statistics.report(figures(received: 190, lost: 10, octets: 16_000, sent: 200), now: Self.start + .seconds(2))
        let first = try #require(firstReport)
        #expect(first.codec == "opus")
        #expect(first.received == SignalStatistics.Way(packets: 190, lost: 10, loss_pct: 10, jitter_ms: 0, bitrate: 32_000, concealed_ms: 200))
        #expect(first.sent.packets == 200 && first.sent.bitrate == 64_000)
        // The browser has not reported yet.
        #expect(first.sent.lost == nil && first.sent.loss_pct == nil && first.rtt_ms == nil)
        let secondReport = statistics.report(figures(received: 290, lost: 10, octets: 20_000, sent: 300), now: Self.start + .seconds(4))
        let second = try #require(secondReport)
        #expect(second.received.loss_pct == 0 && second.received.bitrate == 16_000 && second.received.lost == 10)
    }

    @Test func withoutTimeOrPacketsNothingIsDivided() throws {
        var statistics = SignalStatistics()
        let same = figures(received: 5, lost: 0, octets: 10, sent: 5)
        _ = statistics.report(same, now: Self.start)
        let again = statistics.report(same, now: Self.start)
        #expect(again == nil)
        let idleReport = statistics.report(same, now: Self.start + .seconds(2))
        let idle = try #require(idleReport)
        #expect(idle.received.loss_pct == nil && idle.received.bitrate == 0)
    }

    @Test func theMessageLeavesOutWhatIsNotKnown() throws {
        var statistics = SignalStatistics()
        _ = statistics.report(figures(received: 0, lost: 0, octets: 0, sent: 0), now: Self.start)
        let made = statistics.report(figures(received: 50, lost: 0, octets: 4000, sent: 50), now: Self.start + .seconds(1))
        let report = try #require(made)
        let message = try #require(try JSONSerialization.jsonObject(with: SignalReply.stats(report).json(iceServers: [])) as? [String: Any])
        #expect(message["type"] as? String == "stats" && message["rtt_ms"] == nil)
        #expect((message["received"] as? [String: Any])?["packets"] as? Int == 50)
    }
}
