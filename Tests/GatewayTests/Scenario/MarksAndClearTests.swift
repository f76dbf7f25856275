import NIOCore
import TestKit
import Testing

@testable import Gateway

/// An agent knows what was heard: marks come when their sample is on the wire, and `clear` silences at once.
@Suite struct MarksAndClearTests {
    enum Kind: CaseIterable {
        case phone, browser
    }

    /// A connected call with the listener of its caller.
    private func connected(_ kind: Kind, _ gateway: VirtualGateway) throws -> (agent: FakeAgent, listener: Listener) {
        let listener: Listener
        switch kind {
        case .phone:
            let phone = gateway.phone()
            phone.call("assistant")
            listener = phone.listener
        case .browser:
            let browser = gateway.browser()
            browser.call("assistant")
            listener = browser.listener
        }
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.media.isEmpty == false })
        return (try #require(gateway.agent), listener)
    }

    @Test(arguments: Kind.allCases) func markComesWhenItsSampleIsOnTheWire(_ kind: Kind) throws {
        let gateway = VirtualGateway()
        let (agent, listener) = try connected(kind, gateway)
        let said = gateway.now
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 3, rate: 8000))
        agent.mark("three")
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 7, rate: 8000))
        gateway.run(for: .seconds(5))
        let sounded = try #require(listener.firstSound(after: said))
        let mark = try #require(agent.marks.first)
        #expect(mark.name == "three")
        #expect(abs((mark.at - sounded - .seconds(3)).nanoseconds) <= 60_000_000)
        #expect(agent.marks.count == 1)
    }

    @Test(arguments: Kind.allCases) func clearIsSilenceOnTheWireWithinOneSlot(_ kind: Kind) throws {
        let gateway = VirtualGateway()
        let (agent, listener) = try connected(kind, gateway)
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 10, rate: 8000))
        agent.mark("end")
        gateway.run(for: .seconds(5))
        // Whatever the slot's phase: the speech is cut 20 times, each time somewhere else within it.
        for cut in 0..<20 {
            let cleared = gateway.now
            agent.clear()
            gateway.run(for: .milliseconds(200))
            let after = listener.sound(after: cleared + .milliseconds(1))
            // The frame of the next slot holds the ramp, and the codec its own delay (Opus: 6.5 ms and 2.5 ms of overlap).
            let ramp = (kind == .phone ? 5 : 20) * listener.rate / 1000
            let loudest = after.dropFirst(ramp + 1).map { abs(Int($0)) }.max() ?? 0
            #expect(loudest < 100, "cut \(cut)")
            #expect(after.count >= 9 * listener.rate / 50)
            agent.say(SoundMaterial.tone(hertz: 700, seconds: 1, rate: 8000))
            gateway.run(for: .milliseconds(301))
        }
        #expect(agent.marks.map(\.name) == ["end"])
    }

    @Test func aThousandClearsLeaveNothing() throws {
        let gateway = VirtualGateway()
        let (agent, listener) = try connected(.phone, gateway)
        let speech = SoundMaterial.tone(hertz: 700, seconds: 1, rate: 8000)
        for cycle in 0..<1000 {
            agent.say(speech)
            agent.mark("\(cycle)")
            gateway.run(for: .milliseconds(Int64(cycle % 37)))
            agent.clear()
        }
        #expect(agent.marks.map(\.name) == (0..<1000).map { "\($0)" })
        gateway.run(for: .milliseconds(25))
        let quiet = gateway.now
        gateway.run(for: .seconds(1))
        #expect(listener.sound(after: quiet).allSatisfy { abs(Int($0)) < 10 })
        #expect(gateway.call()?.queuedMilliseconds == 0)
        // What is said afterwards is whole.
        listener.forget()
        agent.say(speech)
        gateway.run(for: .seconds(2))
        SoundBothWaysTests.expectTone(listener.sound, rate: 8000, hertz: 700, seconds: 1)
    }

    @Test func fiftyMarksASecondComeEachInTheirSlot() throws {
        let gateway = VirtualGateway()
        let (agent, _) = try connected(.phone, gateway)
        let frame = SoundMaterial.tone(hertz: 500, seconds: 0.02, rate: 8000)
        for index in 0..<500 {
            agent.say(frame)
            agent.mark("\(index)")
        }
        gateway.run(for: .seconds(11))
        #expect(agent.marks.map(\.name) == (0..<500).map { "\($0)" })
        for (before, after) in zip(agent.marks, agent.marks.dropFirst()) { #expect(after.at - before.at == .milliseconds(20)) }
    }

    @Test func aMarkOnAnEmptyQueueComesBackAtOnce() throws {
        let gateway = VirtualGateway()
        let (agent, _) = try connected(.phone, gateway)
        let asked = gateway.now
        agent.mark("now")
        #expect(agent.marks.map(\.name) == ["now"])
        #expect(agent.marks.first?.at == asked)
    }
}
