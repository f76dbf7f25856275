import NIOCore
import TestKit
import Testing

@testable import Gateway

/// How long a caller waits for an answer is measured where the caller is.
@Suite struct AnswerTimeTests {
    @Test func eachTurnIsTimedAndSplit() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("assistant")
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered && gateway.agent?.media.isEmpty == false })
        let agent = try #require(gateway.agent)
        gateway.run(for: .seconds(1))
        for _ in 0..<2 {
            phone.speaker.say(SoundMaterial.tone(hertz: 300, seconds: 1, rate: 8000))
            gateway.run(for: .milliseconds(1800))
            // 800 ms after the end of speech; paced, so that the hold is a part of what the caller waits for.
            agent.sayPaced(SoundMaterial.tone(hertz: 700, seconds: 1, rate: 8000))
            gateway.run(for: .seconds(2))
        }
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 10, rate: 8000))
        gateway.run(for: .seconds(2))
        agent.clear()
        phone.hangUp()
        gateway.run(for: .seconds(1))
        let leg = try #require(gateway.log.records.first?.legs.last)
        let turns = try #require(leg.turns)
        #expect(turns.answers == 2 && turns.interruptions == 1)
        #expect((760...830).contains(turns.agentMilliseconds))
        #expect((40...80).contains(turns.gatewayMilliseconds))
        #expect((800...900).contains(turns.longestMilliseconds))
        #expect(abs(turns.playedMilliseconds - 2000) <= 40 && abs(turns.droppedMilliseconds - 8000) <= 40)
    }

    @Test func anAnswerToNothingIsNone() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("assistant")
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered })
        try #require(gateway.agent).say(SoundMaterial.tone(hertz: 700, seconds: 1, rate: 8000))
        gateway.run(for: .seconds(2))
        phone.hangUp()
        gateway.run(for: .seconds(1))
        #expect(gateway.log.records.first?.legs.last?.turns == nil)
    }
}
