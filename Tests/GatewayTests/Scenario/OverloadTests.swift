import NIOCore
import SDP
import TestKit
import Testing

@testable import Gateway

/// Media loops that have too much to do: new calls are refused before running ones suffer, stale sound is dropped, and both end by
/// themselves.
@Suite struct OverloadTests {
    /// As many calls as make a loop's load count.
    private static let many = 8

    private func gatewayWithCalls(loops: Int = 1) -> VirtualGateway {
        let gateway = VirtualGateway(loops: loops)
        for index in 0..<Self.many * loops {
            gateway.phone(seed: UInt64(index + 1)).call("echo")
            gateway.run(for: .milliseconds(120))
        }
        gateway.run(for: .seconds(1))
        return gateway
    }

    @Test func aBusyLoopTakesNoCallsUntilItHasRoom() {
        let gateway = gatewayWithCalls()
        let before = gateway.phone(seed: 100)
        before.call("echo")
        gateway.run(for: .seconds(1))
        #expect(before.isAnswered)

        gateway.busy = 0.9
        gateway.run(for: .seconds(1))
        let refused = gateway.phone(seed: 101)
        refused.call("echo")
        gateway.run(for: .milliseconds(100))
        #expect(!refused.isAnswered)
        let answer = gateway.signalling.last { $0.hasPrefix("SIP/2.0 503") }
        #expect(answer?.contains("Retry-After: 30") == true)
        #expect(gateway.core.limits.refused == [.overload: 1])
        let browser = gateway.browser(seed: 102)
        browser.call("echo")
        gateway.run(for: .milliseconds(100))
        #expect(browser.refusal?.end.reason == .overload)

        // A little less is not room enough, or calls would be let in and refused in turn.
        gateway.busy = 0.7
        gateway.run(for: .seconds(5))
        #expect(gateway.loops[0].load.isOverloaded)
        gateway.busy = 0.5
        gateway.run(for: .seconds(3))
        let later = gateway.phone(seed: 103)
        later.call("echo")
        gateway.run(for: .seconds(1))
        #expect(later.isAnswered)
        #expect(gateway.loops[0].calls.count == Self.many + 2)
    }

    @Test func aFullLoopIsPassedOver() {
        let gateway = gatewayWithCalls(loops: 2)
        gateway.post(.loopLoad(0, isOverloaded: true))
        gateway.pump()
        let counts = gateway.loops.map(\.calls.count)
        for index in 0..<3 { gateway.phone(seed: UInt64(200 + index)).call("echo") }
        gateway.run(for: .seconds(1))
        #expect(gateway.loops.map(\.calls.count) == [counts[0], counts[1] + 3])
        #expect(gateway.core.limits.refused.isEmpty)
    }

    @Test func aBusyLoopWithFewCallsIsNotFull() {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("echo")
        gateway.busy = 1
        gateway.run(for: .seconds(3))
        #expect(!gateway.loops[0].load.isOverloaded)
    }

    /// What came while the loop stood still is not played afterwards: an agent hears of it as one gap, and nothing stays late.
    @Test func theBacklogOfAStallIsDropped() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("assistant")
        gateway.run(for: .seconds(3))
        let agent = try #require(gateway.agents.first)
        let frames = agent.media.count
        gateway.isStalled = true
        gateway.run(for: .seconds(2))
        #expect(agent.media.count == frames)
        gateway.isStalled = false
        gateway.run(for: .milliseconds(1))
        #expect((99...101).contains(gateway.loops[0].counters.backlogDropped))
        gateway.run(for: .seconds(2))
        #expect((97...103).contains(agent.media.count - frames))
        let said = gateway.now
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: phone.speaker.rate))
        gateway.run(for: .seconds(2))
        let heard = try #require(
            agent.media.enumerated().first { place, message in
                message.at > said && agent.audio[(place * 160)..<(place * 160 + 160)].contains { abs(Int($0)) > 2_000 }
            }?.element.at)
        #expect(heard - said <= .milliseconds(25))
        #expect(gateway.loops[0].counters.backlogDropped <= 101)
    }

    /// An agent with a clock for the caller's sound hears which part of it is gone, and the clock keeps to wall time.
    @Test(arguments: [AudioCodec.pcmu, .opus]) func anAgentWithAClockIsToldWhatAStallTook(_ codec: AudioCodec) throws {
        let gateway = VirtualGateway()
        if codec == .opus { gateway.prepareNative = { ($0.accept, $0.takesPackets) = (OpusPassthroughTests.accept, true) } }
        let phone = gateway.phone(.init(codec: codec))
        phone.call("native")
        #expect(gateway.run(for: .seconds(2)) { (gateway.native?.nextPTS ?? 0) > 0 })
        gateway.run(for: .seconds(1))
        let agent = try #require(gateway.native)
        let (lost, millisecond) = (agent.nextPTS, codec.rtpClockRate / 1000)
        gateway.isStalled = true
        gateway.run(for: .milliseconds(1500))
        gateway.isStalled = false
        gateway.run(for: .seconds(1))
        let gap = try #require(agent.events("gap").first)
        let resumed = try #require(gap["to_pts"] as? Int)
        #expect(agent.events("gap").count == 1 && gap["from_pts"] as? Int == lost)
        #expect((1440 * millisecond...1540 * millisecond).contains(resumed - lost))
        #expect(agent.binary.filter { $0.flags & 1 != 0 }.map(\.pts) == [resumed])
        #expect(abs(agent.nextPTS - lost - 2500 * millisecond) <= 60 * millisecond)
    }

    /// A turn before anything is due does nothing unless something came: so a loop with few calls may sleep over it.
    @Test func nothingIsDoneBeforeItIsDue() {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("echo")
        gateway.run(for: .seconds(1))
        phone.isStalled = true
        gateway.run(for: .milliseconds(50))
        let loop = gateway.loops[0]
        var idle = 0
        for _ in 0..<1000 {
            let (due, sent) = (loop.nextDue, loop.environment.io.counters.sent)
            gateway.run(for: .milliseconds(1))
            guard gateway.now < due else { continue }
            idle += 1
            #expect(loop.environment.io.counters.sent == sent)
        }
        #expect((500...960).contains(idle))
    }

    /// A loop that is late though it is not busy is full too, but not for one bad moment.
    @Test func lateSlotsRefuseCallsOnlyWhenTheyGoOn() {
        var load = LoopLoad()
        var now = VirtualGateway.start
        func window(late: Int) {
            for slot in 0..<100 { load.slotPlayed(isLate: slot < late) }
            now = now + .milliseconds(500)
            _ = load.turned(calls: 20, now: now, used: { .zero })
        }
        _ = load.turned(calls: 20, now: now, used: { .zero })
        for _ in 0..<3 { window(late: 60) }
        #expect(!load.isOverloaded)
        window(late: 0)
        for _ in 0..<3 { window(late: 60) }
        #expect(!load.isOverloaded)
        window(late: 30)
        #expect(load.isOverloaded)
        for _ in 0..<3 { window(late: 0) }
        #expect(load.isOverloaded)
        window(late: 0)
        #expect(!load.isOverloaded)
    }
}
