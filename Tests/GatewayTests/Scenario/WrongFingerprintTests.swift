import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Somebody else's certificate: no sound either way, and an end that says why.
@Suite struct WrongFingerprintTests {
    @Test(arguments: ["active", "passive", "actpass"]) func notOnePacketIsDecrypted(_ setup: String) throws {
        let gateway = VirtualGateway()
        let announced = VirtualGateway.makeCertificate().fingerprint
        let browser = gateway.browser(.init(setup: setup, announcedFingerprint: announced))
        browser.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 5, rate: 48000))
        browser.call("assistant")
        gateway.run(for: .seconds(5))
        #expect(browser.end?.reason == .failed)
        #expect(browser.end?.detail.contains("fingerprint") == true)
        #expect(gateway.agents.allSatisfy { $0.media.isEmpty })
        #expect(browser.listener.packets.isEmpty)
        let figures = gateway.loops[0].snapshot().legs
        #expect(figures.rtp.packetsReceived == 0)
        #expect(figures.rtp.packetsSent == 0)
        gateway.turn = .milliseconds(10)
        gateway.run(for: .seconds(2))
        #expect(gateway.leftovers == [])
    }

    @Test(arguments: ["active", "passive", "actpass"]) func theRightOneConnectsInEitherRole(_ setup: String) {
        let gateway = VirtualGateway()
        let browser = gateway.browser(.init(setup: setup))
        browser.call("assistant")
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.media.isEmpty == false })
        #expect(browser.isConnected)
    }
}
