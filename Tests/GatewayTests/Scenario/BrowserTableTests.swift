import NIOCore
import RTCStack
import TestKit
import Testing

@testable import Gateway

/// What a loop keeps of a browser to know its datagrams by is bounded, and gone after the call.
@Suite struct BrowserTableTests {
    @Test func aBrowserOfManyAddressesAndRestartsKeepsFew() throws {
        let gateway = VirtualGateway()
        let browser = gateway.browser()
        browser.call("echo")
        #expect(gateway.run(for: .seconds(2)) { browser.isConnected })
        let table = gateway.loops[0].table
        var most = 0
        for port in 51_000..<51_040 {
            browser.moves(toPort: port)
            gateway.run(for: .milliseconds(30))
            most = max(most, table.browserEntries.sources)
        }
        #expect(most == ICEAgent.addressLimit)
        let id = try #require(browser.callID)
        for number in 0..<10 {
            let remote = ICECredentials(ufrag: "again\(number)", password: "0123456789012345678901234")
            #expect(gateway.loops[0].restartBrowserCall(id, remote: remote, now: gateway.now) != nil)
        }
        #expect(table.browserEntries.ufrags == 2)
        let before = browser.listener.packets.count
        browser.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: 48000))
        gateway.run(for: .seconds(1))
        #expect(browser.listener.packets.count > before + 40, "the browser knows the first name only, and is still heard")
        browser.hangUp()
        gateway.run(for: .seconds(1))
        #expect(table.browserEntries.sources == 0 && table.browserEntries.ufrags == 0)
    }
}
