import NIOCore
import TestKit
import Testing

@testable import Gateway

/// New calls are refused before running ones suffer, and taken again afterwards.
@Suite struct OverloadTests {
    @Test func whereEveryLoopIsFullNewCallsAreRefused() {
        let gateway = VirtualGateway(loops: 2)
        let running = gateway.phone()
        running.call("echo")
        gateway.run(for: .seconds(1))
        for loop in 0...1 { gateway.post(.overload(loop: loop, true)) }
        let phone = gateway.phone()
        phone.call("echo")
        let browser = gateway.browser()
        browser.call("echo")
        gateway.run(for: .seconds(1))
        #expect(phone.statuses.last == 503)
        #expect(gateway.signalling.contains { $0.hasPrefix("SIP/2.0 503") && $0.contains("Retry-After: ") })
        #expect(gateway.core.figures.refusedForLoad == 2)
        #expect(gateway.core.figures.calls == 1)
        // The call that was up goes on.
        let heard = running.listener.audioPackets.count
        gateway.run(for: .seconds(1))
        #expect((48...52).contains(running.listener.audioPackets.count - heard))

        gateway.post(.overload(loop: 1, false))
        let later = gateway.phone()
        later.call("echo")
        gateway.run(for: .seconds(1))
        #expect(later.statuses.last == 200)
        #expect(gateway.loops.map(\.calls.count) == [1, 1])
    }

    @Test func aFullLoopIsPassedOver() {
        let gateway = VirtualGateway(loops: 2)
        gateway.post(.overload(loop: 0, true))
        for _ in 0..<3 {
            gateway.phone().call("echo")
            gateway.run(for: .milliseconds(300))
        }
        #expect(gateway.loops.map(\.calls.count) == [0, 3])
        #expect(gateway.core.figures.refusedForLoad == 0)
    }
}
