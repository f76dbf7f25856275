import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Toward a far end with a jitter buffer of its own, what a stall held back is dropped: nobody hears a standing delay.
@Suite struct StallTests {
    @Test(arguments: [TimeAmount.seconds(2), .seconds(12)], MarksAndClearTests.Kind.allCases)
    func whatAStallHeldBackIsNotEchoed(_ length: TimeAmount, _ kind: MarksAndClearTests.Kind) throws {
        let gateway = VirtualGateway()
        let (peer, speaker, listener): (VirtualPeer, Speaker, Listener)
        switch kind {
        case .phone:
            let phone = gateway.phone()
            phone.call("echo")
            (peer, speaker, listener) = (phone, phone.speaker, phone.listener)
        case .browser:
            let browser = gateway.browser()
            browser.call("echo")
            (peer, speaker, listener) = (browser, browser.speaker, browser.listener)
        }
        gateway.run(for: .seconds(6))
        #expect(listener.audioPackets.count > 250)
        peer.isStalled = true
        gateway.run(for: length)
        // Nothing of the first 300 ms that are merely late is judged, only what would have to be caught up with.
        let before = listener.audioPackets.count
        peer.isStalled = false
        gateway.run(for: .milliseconds(10))
        // A phone was sent silence meanwhile, so that its carrier does not take the stream for dead.
        let silence = kind == .phone ? Int(length.nanoseconds / 20_000_000) : 0
        #expect(listener.audioPackets.count - before <= 17 + silence)
        gateway.run(for: .seconds(1))
        let count = listener.audioPackets.count
        gateway.run(for: .seconds(1))
        #expect((49...51).contains(listener.audioPackets.count - count))
        AgentFailureTests.expectOneAxis(listener)

        let said = gateway.now
        speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: speaker.rate))
        gateway.run(for: .seconds(2))
        let heard = try #require(listener.firstSound(after: said))
        #expect(heard - said <= .milliseconds(41))
        SoundBothWaysTests.expectTone(listener.sound(after: said), rate: listener.rate, hertz: 1000, seconds: 1, snr: 20)
    }

    @Test func aSlowerRouteIsFollowedWithinASecond() {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("echo")
        gateway.run(for: .seconds(3))
        phone.uplink.delay = .milliseconds(500)
        gateway.run(for: .milliseconds(1100))
        let before = phone.listener.audioPackets.count
        gateway.run(for: .seconds(1))
        #expect((49...51).contains(phone.listener.audioPackets.count - before))
    }
}
