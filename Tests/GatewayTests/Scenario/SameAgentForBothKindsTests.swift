import NIOCore
import TestKit
import Testing

@testable import Gateway

/// An agent cannot tell a phone from a browser: the same events in the same order, with the same keys and types.
@Suite struct SameAgentForBothKindsTests {
    @Test func bothKindsAtOnceLookTheSame() throws {
        let gateway = VirtualGateway(loops: 2)
        let phone = gateway.phone()
        let browser = gateway.browser()
        phone.call("assistant")
        browser.call("assistant")
        #expect(gateway.run(for: .seconds(3)) { gateway.agents.count == 2 && gateway.agents.allSatisfy { !$0.media.isEmpty } })
        try #require(gateway.agents.count == 2)

        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 2, rate: 8000))
        browser.speaker.say(SoundMaterial.tone(hertz: 600, seconds: 2, rate: 48000))
        for (agent, hertz) in zip(gateway.agents, [800.0, 500]) {
            agent.say(SoundMaterial.tone(hertz: hertz, seconds: 1, rate: 8000))
            agent.mark("said")
        }
        gateway.run(for: .seconds(2))
        phone.press(5)
        browser.press(5)
        gateway.run(for: .seconds(1))
        for agent in gateway.agents {
            agent.say(SoundMaterial.tone(hertz: 900, seconds: 5, rate: 8000))
            agent.mark("cut")
            agent.clear()
        }
        gateway.run(for: .seconds(1))
        phone.hangUp()
        browser.hangUp()
        gateway.run(for: .seconds(1))

        let (first, second) = (gateway.agents[0], gateway.agents[1])
        #expect(Self.story(first) == ["connected", "start", "media", "mark", "media", "dtmf", "media", "mark", "media", "stop"])
        #expect(Self.story(second) == Self.story(first))
        #expect(Self.shapes(second) == Self.shapes(first))
        #expect(first.digits.map(\.digit) == ["5"])
        #expect(second.digits.map(\.digit) == ["5"])
        for agent in gateway.agents {
            SoundBothWaysTests.expectGapFree(agent)
            #expect(agent.parameters["queue"] == "support")
            #expect(agent.parameters["to_number"] == "assistant")
            #expect(agent.parameters["from_number"]?.isEmpty == false)
            #expect(agent.closeCode == 1000)
        }
        // Neither hears anything of the other.
        let callers = gateway.agents.sorted { $0.parameters["from_number"] ?? "" < $1.parameters["from_number"] ?? "" }
        SoundBothWaysTests.expectTone(callers[0].audio, rate: 8000, hertz: 1000, seconds: 2, snr: 25)
        SoundBothWaysTests.expectTone(callers[1].audio, rate: 8000, hertz: 600, seconds: 2, snr: 20)
    }

    /// The events with repetitions left out.
    private static func story(_ agent: FakeAgent) -> [String] {
        agent.events.reduce(into: []) { if $0.last != $1 { $0.append($1) } }
    }

    /// The keys and types of each kind of event; one shape each.
    private static func shapes(_ agent: FakeAgent) -> [String: Set<[String]>] {
        agent.messages.reduce(into: [:]) { $0[$1.event, default: []].insert($1.shape) }
    }
}
