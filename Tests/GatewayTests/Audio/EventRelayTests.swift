import Testing

@testable import Gateway

@Suite struct EventRelayTests {
    /// Each event was a little deeper in the stack than the one before, and after some ten thousand the gateway broke down.
    @Test func aThousandEventsTakeNoMoreStackThanOne() {
        let (relay, depth) = (EventRelay(), StackDepth())
        relay.attach { _ in depth.note() }
        for _ in 0..<1000 { relay.post(.loopLoad(0, isOverloaded: false)) }
        #expect(depth.isSame(in: 1000))
    }
}
