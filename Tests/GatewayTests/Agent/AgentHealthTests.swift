import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Which of an agent's addresses a call is given to.
@Suite struct AgentHealthTests {
    private let urls = ["ws://a.test/", "ws://b.test/", "ws://c.test/"]
    private func time(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(1_000_000_000) + .seconds(seconds) }

    @Test func theLeastLoadedAddressComesFirst() {
        let health = AgentHealth()
        for _ in 0..<2 { health.began(urls[0]) }
        health.began(urls[1])
        #expect(health.choose(urls, spread: .leastLoaded, now: time(0)) == [urls[2], urls[1], urls[0]])
        #expect(health.choose(urls, now: time(0)) == urls)
        health.ended(urls[1])
        #expect(health.choose(urls, spread: .leastLoaded, now: time(0)) == [urls[1], urls[2], urls[0]])
        for _ in 0..<AgentHealth.limit { health.failed(urls[1], reason: "refused", now: time(0)) }
        #expect(health.choose(urls, spread: .leastLoaded, now: time(1)) == [urls[2], urls[0]])
        #expect(health.choose(urls, spread: .leastLoaded, now: time(6)) == [urls[1], urls[2], urls[0]])
    }

    @Test func anAddressThatDrainsIsLeftOutForAMinute() {
        let health = AgentHealth()
        health.drains(urls[0], now: time(0))
        #expect(health.report(of: urls[0]).isDraining)
        #expect(health.choose(urls, now: time(59)) == [urls[1], urls[2]])
        #expect(health.choose(urls, now: time(60)) == urls)
        health.answered(urls[0])
        #expect(!health.report(of: urls[0]).isDraining)
    }

    private static let plan = "routes: [{ name: faulty, when: { to: faulty }, do: [{ agent: faulty-tandem }] }]"

    private func gateway(_ spread: Agent.Spread) -> VirtualGateway {
        let gateway = VirtualGateway(plan: Self.plan)
        gateway.turn = .milliseconds(5)
        gateway.configure { configuration in
            for index in configuration.agents.indices where configuration.agents[index].name == "faulty-tandem" {
                configuration.agents[index].link = .socket(urls: urls, .tandem)
                configuration.agents[index].spread = spread
            }
        }
        return gateway
    }

    @Test func callsAreSpreadAndGoWhereOthersEnded() {
        let gateway = gateway(.leastLoaded)
        let phones = (0..<6).map { _ in gateway.phone() }
        for phone in phones {
            phone.call("faulty")
            gateway.run(for: .milliseconds(200))
        }
        #expect(gateway.faulty.flatMap(\.dialled) == urls + urls)
        phones[1].hangUp()
        gateway.run(for: .seconds(1))
        let next = gateway.phone()
        next.call("faulty")
        gateway.run(for: .milliseconds(200))
        #expect(gateway.faulty.last?.dialled == [urls[1]])
        for phone in phones + [next] { phone.hangUp() }
        EndOfCallTests.expectNothingLeft(gateway)
        #expect(urls.allSatisfy { gateway.agentHealth.report(of: $0).sessions == 0 })
    }

    @Test func aSessionOfAServerThatDrainsMovesToAnother() throws {
        let gateway = gateway(.standby)
        let (phone, next) = (gateway.phone(), gateway.phone())
        phone.call("faulty")
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered })
        let agent = try #require(gateway.faulty.last)
        agent.socket?.cut(code: 4503)
        gateway.run(for: .seconds(1))
        #expect(agent.dialled == [urls[0], urls[1]] && agent.events.contains("resume") && agent.socket?.isUp == true)
        next.call("faulty")
        gateway.run(for: .seconds(1))
        #expect(gateway.faulty.last?.dialled == [urls[1]])
        #expect(phone.byeAt == nil && next.isAnswered)
    }
}
