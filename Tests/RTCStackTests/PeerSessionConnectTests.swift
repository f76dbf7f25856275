import NIOCore
import RTCStack
import RTP
import TestKit
import Testing

/// From the first check to media, in both roles, over good and bad networks.
@Suite struct PeerSessionConnectTests {
    @Test(arguments: [DTLSRole.passive, .active], [SRTPProfile.aeadAES128GCM, .aesCM128HMACSHA1_80])
    func connects(_ role: DTLSRole, _ profile: SRTPProfile) {
        for isIPv6 in [false, true] {
            let pair = PeerPair(.init(sessionRole: role, browserProfiles: [profile], isIPv6: isIPv6))
            #expect(pair.connect())
            #expect(pair.events.contains(.connected(profile)))
            #expect(pair.session.selectedAddress == PeerPair.address(100, isIPv6))
            #expect(pair.browser.ice.mappedAddresses == [PeerPair.address(100, isIPv6)])

            pair.browserDoes { pair.browser.sendMedia(PeerPair.packet(7), into: &$0) }
            pair.browserDoes { pair.browser.sendControl(PeerPair.report, into: &$0) }
            #expect(pair.sendFromGateway(PeerPair.packet(9)))
            #expect(pair.sendFromGateway(PeerPair.report, isControl: true))
            pair.run(for: .milliseconds(20))
            #expect(pair.media == [PeerPair.packet(7)])
            #expect(pair.events.last == .control(PeerPair.report))
            #expect(pair.browserMedia == [PeerPair.packet(9)])
            #expect(pair.browserEvents.last == .control(PeerPair.report))
        }
    }

    @Test func gatewayPrefersGCM() {
        let pair = PeerPair()
        #expect(pair.connect())
        #expect(pair.events.contains(.connected(.aeadAES128GCM)))
    }

    /// A flight is one datagram here, so the n-th datagram of a side is its n-th flight.
    @Test(arguments: [DTLSRole.passive, .active], [0, 1, 2, 3])
    func recoversFromEachLostFlight(_ role: DTLSRole, _ lost: Int) {
        let pair = PeerPair(.init(sessionRole: role))
        var seen = 0
        pair.passes = { datagram in
            guard datagram.kind == .dtls else { return true }
            defer { seen += 1 }
            return seen != lost
        }
        pair.startBrowser()
        let start = pair.now
        #expect(pair.run(for: .seconds(5)) { pair.isConnected })
        #expect(pair.now - start >= .milliseconds(200), "nothing was lost")
        #expect(pair.now - start < .milliseconds(500))
    }

    /// A flight lost six times: at 0, 200, 600, 1400, 3000 and 6200 ms, then 9400.
    @Test(arguments: [DTLSRole.passive, .active])
    func doublesTheInterval(_ role: DTLSRole) {
        let pair = PeerPair(.init(sessionRole: role))
        let client = role == .active ? pair.gatewayAddress : PeerPair.address(100)
        var hellos: [Int64] = []
        var first: NIODeadline?
        pair.passes = { [unowned pair] datagram in
            guard datagram.kind == .dtls, datagram.from == client, hellos.count < 6 else { return true }
            first = first ?? pair.now
            hellos.append((pair.now - (first ?? pair.now)).nanoseconds / 1_000_000)
            return false
        }
        pair.startBrowser()
        pair.run(for: .seconds(12)) { pair.isConnected }
        #expect(hellos == [0, 200, 600, 1400, 3000, 6200])
        #expect(pair.isConnected)
    }

    /// Flights of many datagrams, each of which may be lost, late, or come twice. A ChangeCipherSpec that overtakes the rest
    /// of its flight is the hard case: OpenSSL drops it as seen.
    @Test(arguments: [DTLSRole.passive, .active])
    func connectsOverBadNetworks(_ role: DTLSRole) {
        for seed in UInt64(1)...60 {
            let pair = PeerPair(.init(sessionRole: role, seed: seed, maximumHandshakeDatagram: seed % 2 == 0 ? 256 : 1200))
            for network in [\PeerPair.toSession, \PeerPair.toBrowser] {
                pair[keyPath: network].loss = .independent(0.2)
                pair[keyPath: network].jitter = .milliseconds(20)
                pair[keyPath: network].reordering = 0.2
                pair[keyPath: network].duplication = 0.1
            }
            pair.startBrowser()
            #expect(pair.run(for: .seconds(15)) { pair.isConnected }, "seed \(seed)")
        }
    }

    /// Each datagram of the flights in turn is lost once.
    @Test(arguments: [DTLSRole.passive, .active])
    func recoversFromEachLostDatagram(_ role: DTLSRole) {
        var number = 0
        var hasLost = true
        while hasLost {
            let pair = PeerPair(.init(sessionRole: role, maximumHandshakeDatagram: 256))
            var seen = 0
            pair.passes = { datagram in
                guard datagram.kind == .dtls else { return true }
                defer { seen += 1 }
                return seen != number
            }
            pair.startBrowser()
            #expect(pair.run(for: .seconds(15)) { pair.isConnected }, "datagram \(number)")
            #expect(pair.sent.allSatisfy { $0.kind != .dtls || $0.bytes.count <= 256 })
            hasLost = seen > number
            number += 1
        }
        #expect(number > 8, "the flights were not fragmented")
    }

    @Test func flightsOfManyDatagramsStayApart() {
        let pair = PeerPair(.init(maximumHandshakeDatagram: 256))
        #expect(pair.connect())
        let flight = pair.sent.filter { $0.kind == .dtls && $0.from == pair.gatewayAddress }
        #expect(flight.count >= 3)
        for datagram in flight { #expect(records(of: datagram.bytes) != nil) }
    }

    /// How many DTLS records fill these bytes exactly.
    private func records(of bytes: [UInt8]) -> Int? {
        var (offset, count) = (0, 0)
        while offset < bytes.count {
            guard offset + 13 <= bytes.count else { return nil }
            offset += 13 + Int(bytes[offset + 11]) << 8 + Int(bytes[offset + 12])
            count += 1
        }
        return offset == bytes.count ? count : nil
    }
}
