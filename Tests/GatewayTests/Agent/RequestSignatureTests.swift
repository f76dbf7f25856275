import Testing

@testable import Gateway

struct RequestSignatureTests {
    private func agent(_ dialect: Agent.AgentProtocol, token: String? = nil, secret: String? = nil, account: String? = nil) -> Agent {
        var agent = Agent(name: "a", link: .socket(urls: ["wss://agents.example/media?q=1"], dialect))
        (agent.token, agent.secret, agent.account) = (token, secret, account)
        return agent
    }

    private func signature(_ agent: Agent, _ dialect: Agent.AgentProtocol, _ url: String = "wss://agents.example/media?q=1") -> RequestSignature? {
        RequestSignature(of: url, agent, dialect)
    }

    @Test func aNativeAgentsSecretSignsTheTargetAndTheTime() throws {
        let made = try #require(signature(agent(.tandem, secret: "hush"), .tandem))
        #expect(made.header == "Tandem-Signature")
        let time = try #require(Int64(made.value.dropFirst(2).prefix { $0 != "," }))
        #expect(time > 1_700_000_000)
        #expect(made.value == TandemSignature.sign(Array("/media?q=1".utf8), time: time, secret: "hush"))
    }

    @Test func anAddressWithoutAPathIsTheRoot() throws {
        let made = try #require(signature(agent(.tandem, secret: "hush"), .tandem, "ws://127.0.0.1:9"))
        let time = try #require(Int64(made.value.dropFirst(2).prefix { $0 != "," }))
        #expect(made.value == TandemSignature.sign(Array("/".utf8), time: time, secret: "hush"))
    }

    @Test func twilioSignsWithItsToken() {
        #expect(signature(agent(.twilio, token: "t", account: "AC1"), .twilio)?.header == "X-Twilio-Signature")
        #expect(signature(agent(.twilio, token: "t"), .twilio) == nil)
    }

    @Test(arguments: [Agent.AgentProtocol.tandem, .openai, .vonage, .telnyx, .pipecat])
    func nobodyElseSigns(dialect: Agent.AgentProtocol) {
        #expect(signature(agent(dialect, token: "t"), dialect) == nil)
    }
}
