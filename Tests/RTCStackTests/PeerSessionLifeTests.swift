import NIOCore
import RTCStack
import RTP
import TestKit
import Testing

/// Silence, ends, restarts and changes of the path.
@Suite struct PeerSessionLifeTests {
    @Test func awayAndBack() {
        let pair = PeerPair()
        #expect(pair.connect())
        pair.run(for: .seconds(60))
        #expect(!pair.events.contains(.away), "the checks of an idle call must keep it alive")

        var isCut = true
        pair.passes = { _ in !isCut }
        let cutAt = pair.now
        pair.run(for: .seconds(12))
        #expect(pair.events.last == .away)
        guard let away = pair.time(of: .away) else { return }
        #expect(away - cutAt > .milliseconds(5400) && away - cutAt <= .seconds(8) + .milliseconds(10))
        isCut = false
        pair.run(for: .seconds(4))
        #expect(pair.events.last == .back)
        #expect(pair.events.filter { $0 == .away }.count == 1)
    }

    /// 30 s after the last authenticated packet, to the millisecond; forged packets are no sign of life.
    @Test func silenceEnds() {
        let pair = PeerPair()
        #expect(pair.connect())
        pair.run(for: .seconds(3))
        pair.browserDoes { pair.browser.sendMedia(PeerPair.packet(1), into: &$0) }
        pair.run(for: .milliseconds(6))
        guard let last = pair.events.lastIndex(of: .media(PeerPair.packet(1))).map({ pair.eventTimes[$0] }) else {
            Issue.record("no media")
            return
        }
        pair.passes = { _ in false }
        for _ in 0..<40 {
            pair.run(for: .seconds(1))
            let forged = PeerPair.packet(3) + [UInt8](repeating: 0, count: 16)
            pair.deliver(.init(bytes: forged, from: PeerPair.address(100), to: pair.gatewayAddress))
        }
        #expect(pair.time(of: .away) == last + .seconds(8))
        #expect(pair.time(of: .ended(.timeout)) == last + .seconds(30))
        #expect(pair.events.last == .ended(.timeout))
        #expect(pair.session.counters.forged > 25)
        #expect(!pair.sendFromGateway(PeerPair.packet(2)))
    }

    @Test func nobodyEverComes() {
        let pair = PeerPair()
        let start = pair.now
        pair.run(for: .seconds(40))
        #expect(pair.events == [.ended(.timeout)])
        #expect(pair.eventTimes == [start + .seconds(30)])
    }

    /// Checks go through, DTLS does not: 15 s from the first check.
    @Test(arguments: [DTLSRole.passive, .active])
    func handshakeGivenUp(_ role: DTLSRole) {
        let pair = PeerPair(.init(sessionRole: role))
        pair.passes = { $0.kind != .dtls }
        let start = pair.now
        pair.startBrowser()
        pair.run(for: .seconds(20))
        #expect(pair.events.last == .ended(.handshakeTimeout))
        #expect(pair.eventTimes.last == start + .milliseconds(5) + .seconds(15))
    }

    @Test(arguments: [DTLSRole.passive, .active])
    func closeNotify(_ role: DTLSRole) {
        let ours = PeerPair(.init(sessionRole: role))
        #expect(ours.connect())
        ours.sessionDoes { ours.session.close(now: ours.now, into: &$0) }
        ours.run(for: .milliseconds(50))
        #expect(ours.browserEvents.last == .closed)
        #expect(!ours.events.contains { if case .ended = $0 { true } else { false } })
        #expect(ours.session.deadline == nil)

        let theirs = PeerPair(.init(sessionRole: role))
        #expect(theirs.connect())
        theirs.browserDoes { theirs.browser.close(into: &$0) }
        theirs.run(for: .milliseconds(50))
        #expect(theirs.events.last == .ended(.closedByPeer))
    }

    /// New credentials and another network on the browser's side; the call goes on under the same keys.
    @Test func restartKeepsTheCall() {
        let pair = PeerPair()
        #expect(pair.connect())
        let handshakes = pair.session.counters.handshake
        let newOurs = ICECredentials(ufrag: "gateway2", password: "secondsecondsecondsecond")
        let newTheirs = ICECredentials(ufrag: "br02", password: "x")
        guard let oldCheck = pair.sent.last(where: { $0.kind == .stun && $0.to == pair.gatewayAddress }) else { return }
        pair.sessionDoes {
            pair.session.restartICE(
                localUfrag: newOurs.ufrag, localPassword: newOurs.password, remoteUfrag: newTheirs.ufrag,
                remotePassword: newTheirs.password, now: pair.now, into: &$0)
        }
        #expect(pair.session.remote == newTheirs)

        // The browser has not heard of it yet: its checks are still good, media flows both ways.
        let checks = pair.session.counters.checks
        pair.deliver(oldCheck)
        pair.browserDoes { pair.browser.sendMedia(PeerPair.packet(1), into: &$0) }
        pair.sendFromGateway(PeerPair.packet(1))
        pair.run(for: .milliseconds(20))
        #expect(pair.session.counters.checks == checks + 1)
        #expect(pair.media.count == 1 && pair.browserMedia.count == 1)

        let roaming = PeerPair.address(150)
        pair.browserDoes {
            pair.browser.restartICE(credentials: newTheirs, locals: [roaming], remote: newOurs, now: pair.now, into: &$0)
        }
        #expect(pair.run(for: .seconds(1)) { pair.session.selectedAddress == roaming })
        #expect(pair.events.last == .selected(roaming))
        pair.run(for: .milliseconds(50))
        pair.browserDoes { pair.browser.sendMedia(PeerPair.packet(2), into: &$0) }
        pair.sendFromGateway(PeerPair.packet(2))
        pair.run(for: .milliseconds(20))
        #expect(pair.media.last == PeerPair.packet(2) && pair.browserMedia.last == PeerPair.packet(2))
        #expect(pair.session.counters.handshake == handshakes)

        // The first check with the new credentials ended the old ones.
        let refused = pair.session.counters.checksRefused
        pair.deliver(oldCheck)
        #expect(pair.session.counters.checksRefused == refused + 1)
        #expect(pair.session.selectedAddress == roaming)
    }

    @Test func roleConflict() {
        let pair = PeerPair()
        pair.browser.ice.claimsControlled = true
        #expect(pair.connect())
        #expect(pair.browser.ice.errors == [487])
        #expect(pair.browser.ice.claimsControlled == false)
    }

    @Test(arguments: [FakeICEClient.Nomination.everyCheck, .once])
    func mediaFollowsTheNomination(_ nomination: FakeICEClient.Nomination) {
        let pair = PeerPair(.init(interfaces: 3))
        pair.browser.ice.nomination = nomination
        #expect(pair.connect())
        #expect(pair.session.selectedAddress == PeerPair.address(100))
        pair.run(for: .seconds(10))
        #expect(pair.session.isValidated(PeerPair.address(102)))
        #expect(pair.session.selectedAddress == PeerPair.address(100))
        pair.browserDoes {
            pair.browser.ice.select(local: PeerPair.address(102), now: pair.now)
            pair.browser.expire(now: pair.now, into: &$0)
        }
        pair.run(for: .milliseconds(20))
        #expect(pair.events.last == .selected(PeerPair.address(102)))
        pair.sendFromGateway(PeerPair.packet(1))
        pair.run(for: .milliseconds(20))
        #expect(pair.browserMedia == [PeerPair.packet(1)])
        #expect(pair.sent.last { $0.kind == .media }?.to == PeerPair.address(102))
        pair.run(for: .seconds(10))
        #expect(pair.session.selectedAddress == PeerPair.address(102))
        #expect(pair.events.filter { if case .selected = $0 { true } else { false } }.count == 2)
    }

    /// No nomination, no media, however well the checks and the handshake go.
    @Test func withoutNominationNotConnected() {
        let pair = PeerPair(.init(sessionRole: .active))
        pair.browser.ice.nomination = .never
        pair.startBrowser()
        pair.run(for: .seconds(3))
        #expect(pair.browser.isConnected && !pair.session.isConnected)
        #expect(pair.session.selectedAddress == nil)
    }

    /// The NAT of the browser gives it another port: the next check moves media there.
    @Test func rebinding() {
        let pair = PeerPair()
        #expect(pair.connect())
        pair.browser.ice.rebind(PeerPair.address(100), to: PeerPair.address(177))
        pair.run(for: .seconds(3))
        #expect(pair.session.selectedAddress == PeerPair.address(177))
        #expect(!pair.events.contains(.away))
    }
}
