import NIOCore
import Testing

@testable import RTP

@Suite struct SourceLatchTests {
    private let described = TransportAddress(ipv4: 0xC633_6407, port: 4_000)
    private let natted = TransportAddress(ipv4: 0xC633_6407, port: 61_000)
    private let peer = TransportAddress(ipv4: 0xCB00_7101, port: 5_060)
    private let stranger = TransportAddress(ipv4: 0x0808_0808, port: 4_000)
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func makeLatch() -> SourceLatch {
        SourceLatch(
            sdpAddress: described, signallingPeer: peer, acceptFrom: [AddressPrefix("198.18.0.0/15")].compactMap { $0 })
    }

    /// Sends packets in sequence and returns which were accepted.
    private func send(
        _ latch: inout SourceLatch, from source: TransportAddress, count: Int, sequence: UInt16 = 1,
        negotiated: Bool = true, milliseconds: Int64 = 0
    ) -> [Bool] {
        (0..<count).map { index in
            latch.accept(
                from: source, sequence: sequence &+ UInt16(index), payloadTypeNegotiated: negotiated,
                now: start + .milliseconds(milliseconds + Int64(index) * 20))
        }
    }

    @Test func theDescribedAddressAtOnceAndThenNoOther() {
        var latch = makeLatch()
        #expect(latch.destination == described)
        #expect(send(&latch, from: described, count: 2) == [true, true])
        #expect(send(&latch, from: natted, count: 10, milliseconds: 40) == [Bool](repeating: false, count: 10))
        #expect(latch.destination == described)
        #expect(!latch.isLatched)
    }

    @Test func anotherPortAfterThreePackets() {
        var latch = makeLatch()
        #expect(send(&latch, from: natted, count: 4) == [false, false, true, true])
        #expect(latch.destination == natted)
        #expect(latch.isLatched)
        #expect(send(&latch, from: described, count: 4, milliseconds: 80) == [Bool](repeating: false, count: 4))
    }

    @Test func theSequenceMayWrap() {
        var latch = makeLatch()
        #expect(send(&latch, from: natted, count: 3, sequence: 65_535) == [false, false, true])
    }

    @Test func theSignallingPeersAndTheTrunksAddressesToo() throws {
        for source in [peer.with(port: 30_000), try #require(TransportAddress(host: "198.19.255.1", port: 1))] {
            var latch = makeLatch()
            #expect(send(&latch, from: source, count: 3).last == true)
            #expect(latch.destination == source)
        }
    }

    @Test func nobodyElse() {
        var latch = makeLatch()
        #expect(!send(&latch, from: stranger, count: 100).contains(true))
        #expect(latch.destination == described)
    }

    @Test func onlyWithANegotiatedPayloadType() {
        var latch = makeLatch()
        #expect(!send(&latch, from: natted, count: 100, negotiated: false).contains(true))
    }

    @Test func onlyInSequence() {
        var latch = makeLatch()
        for index in 0..<50 {
            let accepted = latch.accept(
                from: natted, sequence: UInt16(index * 2), payloadTypeNegotiated: true, now: start)
            #expect(!accepted)
        }
    }

    @Test func aSecondCandidateDoesNotDisturbTheFirst() {
        var latch = makeLatch()
        let other = natted.with(port: 62_000)
        #expect(send(&latch, from: natted, count: 2) == [false, false])
        #expect(send(&latch, from: other, count: 1) == [false])
        #expect(send(&latch, from: natted, count: 1, sequence: 3, milliseconds: 60) == [true])
    }

    @Test func movesAfterSilenceAndFivePackets() {
        var latch = makeLatch()
        _ = send(&latch, from: described, count: 1)
        #expect(send(&latch, from: natted, count: 50, milliseconds: 900) == [Bool](repeating: false, count: 50))
        let moved = send(&latch, from: natted, count: 6, sequence: 100, milliseconds: 2_000)
        #expect(moved == [false, false, false, false, true, true])
        #expect(latch.destination == natted)
    }

    @Test func whoSpeaksAgainKeepsItsPlace() {
        var latch = makeLatch()
        _ = send(&latch, from: described, count: 1)
        _ = send(&latch, from: natted, count: 4, milliseconds: 2_000)
        #expect(send(&latch, from: described, count: 1, milliseconds: 2_090) == [true])
        #expect(send(&latch, from: natted, count: 1, sequence: 5, milliseconds: 2_100) == [false])
    }

    @Test func aReinviteOpensTheLatch() {
        var latch = makeLatch()
        _ = send(&latch, from: natted, count: 3)
        let moved = TransportAddress(ipv4: 0xC633_6408, port: 4_002)
        latch.renegotiated(sdpAddress: moved)
        #expect(latch.destination == moved)
        #expect(send(&latch, from: natted, count: 4, sequence: 50) == [false, false, false, false])
        #expect(send(&latch, from: moved, count: 1) == [true])
    }

    @Test func aReinviteWithoutAChangeKeepsWhatWasLearned() {
        for address in [described, nil, TransportAddress(ipv4: 0, port: 4_000)] {
            var latch = makeLatch()
            _ = send(&latch, from: natted, count: 3)
            latch.renegotiated(sdpAddress: address)
            #expect(latch.destination == natted)
            #expect(send(&latch, from: natted, count: 1, sequence: 9) == [true])
            #expect(send(&latch, from: described, count: 1) == [true])
            #expect(latch.destination == described)
        }
    }

    @Test func anAddressThatIsNoneIsNotSentTo() {
        var latch = SourceLatch(
            sdpAddress: TransportAddress(ipv4: 0, port: 4_000), signallingPeer: peer, acceptFrom: [])
        #expect(latch.destination == nil)
        #expect(send(&latch, from: peer.with(port: 4_444), count: 3) == [false, false, true])
        #expect(latch.destination == peer.with(port: 4_444))
    }

    @Test func controlFollowsTheHost() {
        var latch = makeLatch()
        #expect(latch.acceptsControl(from: described.with(port: 4_001)))
        #expect(!latch.acceptsControl(from: peer))
        _ = send(&latch, from: peer, count: 3)
        #expect(latch.acceptsControl(from: peer.with(port: 1)))
    }
}
