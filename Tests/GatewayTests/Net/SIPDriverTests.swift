import NIOCore
import NIOPosix
import SIPStack
import Testing

@testable import Gateway

/// The driver over real sockets on the loopback; every wait is for an event.
@Suite(.timeLimit(.minutes(5)), .serialized) struct SIPDriverTests {
    /// A driver with its events as a stream.
    private final class Running {
        let driver: SIPDriver
        private var events: AsyncStream<SIPOutput>.AsyncIterator

        init(
            listen: [SIPListenAddress] = [.init(transport: .udp, host: "127.0.0.1", port: 0), .init(transport: .tcp, host: "127.0.0.1", port: 0)],
            settings: SIPDriver.Settings = SIPDriverTests.settings, isKnown: @escaping SIPDriver.Known = { _ in true }
        ) async throws {
            let (stream, continuation) = AsyncStream.makeStream(of: SIPOutput.self)
            events = stream.makeAsyncIterator()
            driver = try await SIPDriver.start(
                on: MultiThreadedEventLoopGroup.singleton.next(), listeners: listen, settings: settings, isKnown: isKnown,
                onEvent: { continuation.yield($0) })
        }

        var udpPort: Int { driver.bound[0].port }
        var tcpPort: Int { driver.bound[1].port }

        func next() async -> SIPOutput? { await events.next() }

        func nextIncoming() async -> SIPIncomingCall? {
            guard case .incoming(let call)? = await next() else { return nil }
            return call
        }
    }

    private static let settings = SIPDriver.Settings(serverName: "Tandem/test", timers: SIPTimers(t1: .milliseconds(50), t2: .milliseconds(200), t4: .milliseconds(250)))
    private static let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"

    private func message(
        _ method: String, port: Int, transport: String = "UDP", branch: String = "1", sequence: Int = 1, toTag: String = "", body: String = "", extra: String = ""
    ) -> String {
        "\(method) sip:demo@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/\(transport) 127.0.0.1:\(port);branch=z9hG4bK\(branch)\r\nMax-Forwards: 70\r\n"
            + "From: <sip:a@127.0.0.1>;tag=f\r\nTo: <sip:demo@127.0.0.1>\(toTag)\r\nCall-ID: c\(port)\r\nCSeq: \(sequence) \(method)\r\n"
            + "Contact: <sip:a@127.0.0.1:\(port);transport=\(transport.lowercased())>\r\n\(extra)"
            + (body.isEmpty ? "" : "Content-Type: application/sdp\r\n") + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private func toTag(_ response: String) -> String {
        let line = response.split(separator: "\r\n").first { $0.hasPrefix("To:") && $0.contains(";tag=") } ?? ""
        return line.split(separator: ";").first { $0.hasPrefix("tag=") }.map { ";\($0)" } ?? ""
    }

    /// Returns once the endpoint is as wished, looking after each turn of the loop.
    private func until(_ driver: SIPDriver, _ condition: @escaping @Sendable (SIPEndpoint) -> Bool) async {
        var isTrue = false
        while !isTrue {
            isTrue = await withCheckedContinuation { continuation in
                driver.perform { endpoint, _, _ in continuation.resume(returning: condition(endpoint)) }
            }
        }
    }

    @Test func aCallOverUDPWithRealTimers() async throws {
        let running = try await Running()
        let phone = SIPLoopbackPeer.udp()
        phone.send(message("INVITE", port: phone.port, body: Self.sdp), to: running.udpPort)
        #expect(phone.receive().hasPrefix("SIP/2.0 100 Trying\r\n"))
        let call = try #require(await running.nextIncoming())
        #expect(call.offer == Self.sdp && call.flow.remote == SIPAddress(host: "127.0.0.1", port: phone.port))
        running.driver.perform { $0.accept(call.id, sdp: Self.sdp, now: $1, into: &$2) }
        let ok = phone.receive()
        #expect(ok.hasPrefix("SIP/2.0 200 OK\r\n") && ok.contains("Contact: <sip:127.0.0.1:\(running.udpPort)>"))
        // Timer-driven repetitions come until the ACK.
        #expect(phone.receive() == ok && phone.receive() == ok)
        phone.send(message("ACK", port: phone.port, branch: "2", toTag: toTag(ok)), to: running.udpPort)
        guard case .acknowledged(call.id, answer: nil)? = await running.next() else {
            Issue.record("no ACK")
            return
        }
        running.driver.perform { $0.hangUp(call.id, now: $1, into: &$2) }
        var bye = phone.receive()
        while bye == ok { bye = phone.receive() }
        #expect(bye.hasPrefix("BYE sip:a@127.0.0.1:\(phone.port);transport=udp SIP/2.0\r\n"))
        #expect(running.driver.counters.dialogsAlive == 1)
        try await running.driver.shutdown().get()
    }

    @Test func anUnacknowledged200IsGivenUpOnTime() async throws {
        let running = try await Running()
        let phone = SIPLoopbackPeer.udp()
        phone.send(message("INVITE", port: phone.port, body: Self.sdp), to: running.udpPort)
        let call = try #require(await running.nextIncoming())
        running.driver.perform { $0.accept(call.id, sdp: Self.sdp, now: $1, into: &$2) }
        guard case .ended(call.id, .noAcknowledgement)? = await running.next() else {
            Issue.record("not ended")
            return
        }
        try await running.driver.shutdown().get()
    }

    @Test func largeDatagramsArriveWhole() async throws {
        let running = try await Running()
        let phone = SIPLoopbackPeer.udp()
        let padding = String(repeating: "a=x:\(String(repeating: "y", count: 90))\r\n", count: 300)
        phone.send(message("INVITE", port: phone.port, body: Self.sdp + padding), to: running.udpPort)
        let call = try #require(await running.nextIncoming())
        #expect(call.offer?.utf8.count == (Self.sdp + padding).utf8.count)
        try await running.driver.shutdown().get()
    }

    /// What the socket does not take does not pile up.
    @Test func datagramsThatCannotBeSentAreDroppedAndCounted() async throws {
        var settings = Self.settings
        settings.maximumUnsentBytes = 1000
        let running = try await Running(settings: settings)
        let phone = SIPLoopbackPeer.udp()
        let driver = running.driver
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: phone.port)
        let filler = String(repeating: "f", count: 2000)
        // Not flushed: as if the kernel's buffer were full.
        try await driver.loop.submit {
            driver.channels[0].write(AddressedEnvelope(remoteAddress: address, data: ByteBuffer(string: filler)), promise: nil)
        }.get()
        phone.send(message("OPTIONS", port: phone.port), to: running.udpPort)
        await until(driver) { $0.counters.messagesReceived == 1 }
        #expect(driver.counters.datagramsDropped == 1)
        try await driver.loop.submit { driver.channels[0].flush() }.get()
        #expect(phone.receive() == filler)
        phone.send(message("OPTIONS", port: phone.port, branch: "2", sequence: 2), to: running.udpPort)
        #expect(phone.receive().contains("\r\nCSeq: 2 OPTIONS\r\n"))
        #expect(driver.counters.datagramsDropped == 1)
        try await driver.shutdown().get()
    }

    @Test func strangersAreToldSoAndReloadMakesThemKnown() async throws {
        let running = try await Running(isKnown: { _ in false })
        let phone = SIPLoopbackPeer.udp()
        phone.send(message("OPTIONS", port: phone.port), to: running.udpPort)
        #expect(phone.receive().hasPrefix("SIP/2.0 403 Forbidden\r\n"))
        #expect(running.driver.counters.refusedSources == 1)
        running.driver.setKnown { $0.host == "127.0.0.1" }
        phone.send(message("OPTIONS", port: phone.port, branch: "2", sequence: 2), to: running.udpPort)
        #expect(phone.receive().hasPrefix("SIP/2.0 200 OK\r\n"))
        try await running.driver.shutdown().get()
    }

    @Test func aThousandPacketsTakeNoMoreStackThanOne() async throws {
        let depth = StackDepth()
        let running = try await Running(isKnown: { _ in
            depth.note()
            return true
        })
        let address = SIPAddress(host: "127.0.0.1", port: 5062)
        for _ in 0..<1000 { _ = running.driver.isKnown(address) }
        #expect(depth.isSame(in: 1000))
        try await running.driver.shutdown().get()
    }

    @Test func tcpIsFramedAndKeptAlive() async throws {
        let running = try await Running()
        let phone = SIPLoopbackPeer.tcp(to: running.tcpPort)
        let options = message("OPTIONS", port: phone.port, transport: "TCP")
        let invite = message("INVITE", port: phone.port, transport: "TCP", branch: "2", sequence: 2, body: Self.sdp)
        phone.send("\r\n\r\n")
        #expect(phone.receive() == "\r\n")
        phone.send(String(options.prefix(50)))
        phone.send(String(options.dropFirst(50)) + invite)
        let answers = phone.receive(until: "100 Trying")
        #expect(answers.hasPrefix("SIP/2.0 200 OK\r\n"))
        let call = try #require(await running.nextIncoming())
        #expect(call.flow.transport == .tcp && call.flow.connection != 0 && call.flow.listener == 1)
        phone.disconnect()
        guard case .ended(call.id, .transportLost)? = await running.next() else {
            Issue.record("not ended")
            return
        }
        try await running.driver.shutdown().get()
    }

    @Test func noiseOnTCPIsClosed() async throws {
        let running = try await Running()
        let hello = SIPLoopbackPeer.tcp(to: running.tcpPort)
        hello.send("\u{16}\u{3}\u{1}")
        #expect(hello.isClosed())
        let bad = SIPLoopbackPeer.tcp(to: running.tcpPort)
        bad.send(message("OPTIONS", port: 5060, transport: "TCP", extra: "Content-Length: -1\r\n"))
        #expect(bad.receive(until: "\r\n\r\n").hasPrefix("SIP/2.0 400 "), "answered before it is closed")
        #expect(bad.isClosed())
        try await running.driver.shutdown().get()
    }

    @Test func strangersOnTCPDoNotStay() async throws {
        var settings = Self.settings
        settings.strangerIdleLimit = .milliseconds(50)
        settings.maximumStrangerConnections = 2
        let running = try await Running(settings: settings, isKnown: { _ in false })
        let stranger = SIPLoopbackPeer.tcp(to: running.tcpPort)
        stranger.send(message("OPTIONS", port: stranger.port, transport: "TCP"))
        #expect(stranger.receive(until: "\r\n\r\n").hasPrefix("SIP/2.0 403 Forbidden\r\n"))
        #expect(stranger.isClosed())
        try await running.driver.shutdown().get()
    }

    @Test func oneConnectionTooManyIsClosed() async throws {
        var settings = Self.settings
        settings.maximumStrangerConnections = 1
        let running = try await Running(settings: settings, isKnown: { _ in false })
        let first = SIPLoopbackPeer.tcp(to: running.tcpPort)
        first.send(message("OPTIONS", port: first.port, transport: "TCP"))
        #expect(first.receive(until: "\r\n\r\n").hasPrefix("SIP/2.0 403 Forbidden\r\n"))
        let second = SIPLoopbackPeer.tcp(to: running.tcpPort)
        #expect(second.isClosed())
        first.disconnect()
        try await running.driver.shutdown().get()
    }

    /// The phone closed its connection during the call: our BYE goes to its Contact on a new one.
    @Test func aByeOpensAConnectionOfItsOwn() async throws {
        let running = try await Running()
        let listener = SIPLoopbackPeer.listener()
        let phone = SIPLoopbackPeer.tcp(to: running.tcpPort)
        phone.send(message("INVITE", port: listener.port, transport: "TCP", body: Self.sdp))
        let call = try #require(await running.nextIncoming())
        running.driver.perform { $0.accept(call.id, sdp: Self.sdp, now: $1, into: &$2) }
        // Our description ends the 200.
        let answer = phone.receive(until: Self.sdp)
        phone.send(message("ACK", port: listener.port, transport: "TCP", branch: "2", toTag: toTag(answer)))
        guard case .acknowledged? = await running.next() else {
            Issue.record("no ACK")
            return
        }
        phone.disconnect()
        // The loop sees the end of the connection before or after the command; either way the BYE must arrive somewhere.
        #expect(phone.isClosed())
        await until(running.driver) { !$0.isInUse(connection: call.flow.connection) }
        running.driver.perform { $0.hangUp(call.id, now: $1, into: &$2) }
        let inbound = listener.accepted()
        let bye = inbound.receive(until: "\r\n\r\n")
        #expect(bye.hasPrefix("BYE sip:a@127.0.0.1:\(listener.port);transport=tcp SIP/2.0\r\n"))
        var lines = ["SIP/2.0 200 OK"]
        lines += bye.split(separator: "\r\n").map(String.init).filter { line in ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].contains { line.hasPrefix($0) } }
        inbound.send(lines.joined(separator: "\r\n") + "\r\nContent-Length: 0\r\n\r\n")
        await until(running.driver) { $0.counters.dialogsAlive == 0 }
        try await running.driver.shutdown().get()
    }

    private func order(_ targets: [SIPTarget]) throws -> SIPCallOrder {
        try SIPCallOrder(id: .outgoing(1), number: "+14155550123", targets: targets, from: SIPCallerID(user: "+14155550100"), offer: Self.sdp)
    }

    private func target(_ port: Int, _ transport: SIPTransport) -> SIPTarget { SIPTarget(SIPAddress(host: "127.0.0.1", port: port), transport: transport) }

    /// A response of a plain phone to a request of ours.
    private func response(_ status: String, to request: String, contact: Int) -> String {
        let names = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"]
        let lines = request.split(separator: "\r\n").map(String.init).filter { line in names.contains { line.hasPrefix($0) } }
        let tagged = lines.map { $0.hasPrefix("To:") && !$0.contains(";tag=") ? "\($0);tag=phone" : $0 }
        return (["SIP/2.0 \(status)"] + tagged + ["Contact: <sip:b@127.0.0.1:\(contact)>", "Content-Length: 0"]).joined(separator: "\r\n") + "\r\n\r\n"
    }

    @Test func aCallOutOverUDP() async throws {
        let running = try await Running()
        let phone = SIPLoopbackPeer.udp()
        let order = try order([target(phone.port, .udp)])
        running.driver.perform { $0.call(order, now: $1, into: &$2) }
        let invite = phone.receive()
        #expect(invite.hasPrefix("INVITE sip:+14155550123@127.0.0.1:\(phone.port) SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:\(running.udpPort);"))
        phone.send(response("180 Ringing", to: invite, contact: phone.port), to: running.udpPort)
        guard case .progress(order.id, 180, nil, _)? = await running.next() else {
            Issue.record("no ringing")
            return
        }
        phone.send(response("200 OK", to: invite, contact: phone.port), to: running.udpPort)
        guard case .answered(order.id, nil, let address)? = await running.next() else {
            Issue.record("no answer")
            return
        }
        #expect(address == SIPAddress(host: "127.0.0.1", port: phone.port))
        // Repetitions of the INVITE, sent before the phone spoke, may lie before the ACK.
        var message = phone.receive()
        while message.hasPrefix("INVITE ") { message = phone.receive() }
        #expect(message.hasPrefix("ACK sip:b@127.0.0.1:\(phone.port) SIP/2.0\r\n"))
        running.driver.perform { $0.hangUp(order.id, now: $1, into: &$2) }
        let bye = phone.receive()
        #expect(bye.hasPrefix("BYE "))
        // One that is lost comes again to a gateway's last call too, and its answer is all that is waited for.
        let settled = running.driver.settle(atMost: .hours(1))
        #expect(phone.receive() == bye)
        phone.send(response("200 OK", to: bye, contact: phone.port), to: running.udpPort)
        try await settled.get()
        #expect(running.driver.counters.dialogsAlive == 0)
        try await running.driver.settle(atMost: .hours(1)).get()
        try await running.driver.shutdown().get()
    }

    /// The first host refuses the connection, the second accepts and hangs up, the third takes the call: none waits for a timer.
    @Test func aCallOutGoesOnWhereConnectionsFail() async throws {
        let running = try await Running(settings: .init(serverName: "Tandem/test"))
        let closed = SIPLoopbackPeer.listener()
        let closedPort = closed.port
        _ = consume closed
        let (breaking, taking) = (SIPLoopbackPeer.listener(), SIPLoopbackPeer.listener())
        let order = try order([target(closedPort, .tcp), target(breaking.port, .tcp), target(taking.port, .tcp)])
        running.driver.perform { $0.call(order, now: $1, into: &$2) }
        let second = breaking.accepted()
        #expect(second.receive(until: Self.sdp).contains("\r\nCSeq: 2 INVITE\r\n"))
        second.disconnect()
        let third = taking.accepted()
        let invite = third.receive(until: Self.sdp)
        #expect(invite.hasPrefix("INVITE sip:+14155550123@127.0.0.1:\(taking.port);transport=tcp SIP/2.0\r\nVia: SIP/2.0/TCP "))
        third.send(response("486 Busy Here", to: invite, contact: taking.port))
        guard case .failed(order.id, let failure)? = await running.next() else {
            Issue.record("not failed")
            return
        }
        #expect(failure.kind == .rejected(status: 486) && failure.attempts.map(\.result) == [.transport, .transport, .refused(status: 486, reason: "Busy Here")])
        #expect(third.receive(until: "\r\n\r\n").hasPrefix("ACK "))
        await until(running.driver) { $0.counters.clientTransactionsAlive == 0 }
        try await running.driver.shutdown().get()
    }

    /// Whom we call need not be among those who may call us: strangers' connections, of which none are allowed here, are others.
    @Test func aConnectionOfOursIsNoStrangers() async throws {
        var settings = Self.settings
        settings.maximumStrangerConnections = 0
        let running = try await Running(settings: settings, isKnown: { _ in false })
        let listener = SIPLoopbackPeer.listener()
        let order = try order([target(listener.port, .tcp)])
        running.driver.perform { $0.call(order, now: $1, into: &$2) }
        let phone = listener.accepted()
        let invite = phone.receive(until: Self.sdp)
        phone.send(response("180 Ringing", to: invite, contact: listener.port))
        guard case .progress? = await running.next() else {
            Issue.record("no ringing")
            return
        }
        running.driver.perform { $0.cancel(order.id, now: $1, into: &$2) }
        #expect(phone.receive(until: "\r\n\r\n").hasPrefix("CANCEL "))
        phone.send(response("487 Request Terminated", to: invite, contact: listener.port))
        await until(running.driver) { $0.counters.callsOutAlive == 0 }
        try await running.driver.shutdown().get()
    }

    @Test func anAddressInUseIsNamedAndNothingStaysBound() async throws {
        let first = try await Running()
        let taken = SIPListenAddress(transport: .udp, host: "127.0.0.1", port: first.udpPort)
        let probe = SIPLoopbackPeer.listener()
        let probePort = probe.port
        _ = consume probe
        let free = SIPListenAddress(transport: .tcp, host: "127.0.0.1", port: probePort)
        do {
            _ = try await Running(listen: [free, taken])
            Issue.record("bound twice")
        } catch let error as BindError {
            #expect(error.description.contains("udp:127.0.0.1:\(first.udpPort)") && error.description.contains("in use"), "\(error)")
        }
        let again = try await Running(listen: [free])
        #expect(again.driver.bound == [free])
        try await again.driver.shutdown().get()
        try await first.driver.shutdown().get()
        // After shutdown the address is free, and commands do nothing.
        first.driver.perform { _, _, _ in Issue.record("ran after shutdown") }
        let third = try await Running(listen: [taken])
        #expect(third.driver.bound == [taken])
        try await third.driver.shutdown().get()
    }

    @Test func bothFamiliesOnOneSocket() async throws {
        let running = try await Running(listen: [.init(transport: .udp, host: "::", port: 0)])
        let phone = SIPLoopbackPeer.udp()
        phone.send(message("OPTIONS", port: phone.port), to: running.udpPort)
        #expect(phone.receive().hasPrefix("SIP/2.0 200 OK\r\n"), "an IPv4 peer of an IPv6 socket is answered as one")
        try await running.driver.shutdown().get()
    }
}
