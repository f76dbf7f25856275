import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Agents that have a call and say nothing.
@Suite struct AgentWatchdogTests {
    private static let plan = "routes: [{ name: faulty, when: { to: faulty }, do: [{ agent: faulty-twilio }, { agent: standby }] }]"

    private static func gateway(firstAudioSeconds: Int = 0, answerSeconds: Int = 0) -> (VirtualGateway, FakeTrunk) {
        let gateway = VirtualGateway(plan: plan)
        gateway.turn = .milliseconds(5)
        gateway.configure { configuration in
            for index in configuration.agents.indices {
                configuration.agents[index].firstAudioSeconds = firstAudioSeconds
                configuration.agents[index].answerSeconds = answerSeconds
            }
        }
        let phone = gateway.phone()
        phone.call("faulty")
        return (gateway, phone)
    }

    private static func speech(_ seconds: Double) -> [Int16] { SoundMaterial.tone(hertz: 300, seconds: seconds, rate: 8000) }

    @Test func anAgentThatIsNeverHeardIsFollowedByTheNextStep() throws {
        let (gateway, phone) = Self.gateway(firstAudioSeconds: 3)
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered })
        let answered = gateway.now
        #expect(gateway.run(for: .seconds(5)) { gateway.agent != nil })
        #expect(gateway.now - answered >= .milliseconds(2950) && gateway.now - answered <= .milliseconds(3100))
        gateway.run(for: .seconds(1))
        // It was told, and closed.
        #expect(gateway.faulty.last?.events.last == "stop" && gateway.faulty.last?.socket?.isUp == false)
        #expect(phone.byeAt == nil && gateway.agent?.isUp == true)
        phone.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
        #expect(gateway.log.count("the agent is given up: it said nothing for 3 s") == 1)
        #expect(gateway.agentHealth.report(of: "ws://faulty.test/").failed == 1)
    }

    @Test func anAgentThatGreetedMayBeSilentAfterwards() throws {
        let (gateway, phone) = Self.gateway(firstAudioSeconds: 3)
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered })
        gateway.faulty.last?.say(Self.speech(0.5))
        phone.speaker.say(Self.speech(1))
        gateway.run(for: .seconds(10))
        #expect(gateway.agent == nil && gateway.faulty.last?.socket?.isUp == true)
    }

    @Test func anAgentThatDoesNotAnswerTheCallerIsFollowedByTheNextStep() throws {
        let (gateway, phone) = Self.gateway(answerSeconds: 4)
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered })
        // It may wait for the caller as long as it likes.
        gateway.run(for: .seconds(6))
        #expect(gateway.agent == nil)
        phone.speaker.say(Self.speech(1))
        gateway.run(for: .seconds(2))
        gateway.faulty.last?.say(Self.speech(1))
        gateway.run(for: .seconds(6))
        #expect(gateway.agent == nil)
        phone.speaker.say(Self.speech(1))
        let spoke = gateway.now
        #expect(gateway.run(for: .seconds(8)) { gateway.agent != nil })
        #expect(gateway.now - spoke >= .milliseconds(4950) && gateway.now - spoke <= .milliseconds(5200))
    }

    @Test func aCallerWhoGoesOnSpeakingIsNotWaitingForAnAnswer() throws {
        let (gateway, phone) = Self.gateway(answerSeconds: 2)
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered })
        for _ in 0..<4 {
            phone.speaker.say(Self.speech(1))
            gateway.run(for: .seconds(2))
        }
        #expect(gateway.agent == nil)
    }
}
