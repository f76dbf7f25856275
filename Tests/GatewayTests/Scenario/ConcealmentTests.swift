import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Sound that was made up in place of lost packets is told to the native agent: in the flags of its frames, and in sum.
@Suite struct ConcealmentTests {
    @Test(arguments: [20, 30, 60]) func everyConcealedFrameIsFlagged(_ milliseconds: Int) throws {
        let gateway = VirtualGateway()
        gateway.prepareNative = { $0.accept = #"{"event":"accept","id":1,"format":{"codec":"pcm_s16le","rate":8000}}"# }
        let browser = gateway.browser(.init(codec: "pcmu", packetMilliseconds: milliseconds))
        browser.call("native")
        #expect(gateway.run(for: .seconds(2)) { (gateway.native?.nextPTS ?? 0) > 0 })
        let agent = try #require(gateway.native)
        let first = browser.frames.count + 3000 / milliseconds
        let lost: Set<Int> = [first, first + 10, first + 11]
        browser.losesFrame = { lost.contains($0) }
        browser.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 5, rate: 8000))
        gateway.run(for: .seconds(6))
        let flagged = agent.binary.filter { $0.flags == 4 }
        let concealed = try #require(gateway.call()?.caller?.figures.inbound.concealedMilliseconds)
        #expect(concealed > 0 && agent.binary.allSatisfy { $0.flags == 0 || $0.flags == 4 })
        // Frames of 20 ms that hold any of it: none more than its two ends.
        #expect((concealed...(concealed + 4 * 20)).contains(flagged.count * 20), "\(flagged.count) frames for \(concealed) ms")
        if milliseconds == 20 { #expect(flagged.count == 3) }
        #expect(agent.events("stats").last?["concealed_ms"] as? Int == concealed)
        #expect((agent.events.first?["features"] as? [String])?.contains("concealed") == true)
        // Said again it is flagged again.
        let again = agent.binary.count
        agent.comeBack = #"{"event":"accept","id":1,"resumed":true,"caller_pts":\#(try #require(flagged.first).pts),"last_seq":{seq}}"#
        agent.cut()
        gateway.run(for: .milliseconds(500))
        #expect(agent.binary.dropFirst(again).first?.flags == 4)
    }
}
