import Dialplan
import Foundation
import Logging
import NIOCore
import RTCStack
import RTP
import SIPStack
import TestKit
import Transcode

@testable import Gateway

/// The whole gateway, its switchboard, SIP endpoint and media loops, on virtual time and a virtual network.
///
///     let gateway = VirtualGateway()
///     let phone = gateway.phone()
///     phone.call("assistant")
///     gateway.run(for: .seconds(3))
final class VirtualGateway {
    /// How agents behave that are called by that name; made when a call dials one.
    var prepareAgent: (FakeAgent) -> Void = { _ in }
    /// Every agent that was dialled, in order.
    private(set) var agents: [FakeAgent] = []
    /// The same of agents that speak `tandem.media.v1`.
    var prepareNative: (FakeTandemAgent) -> Void = { _ in }
    private(set) var natives: [FakeTandemAgent] = []
    /// The same of agents named `faulty-` and a dialect.
    var prepareFaulty: (FaultyAgent) -> Void = { _ in }
    private(set) var faulty: [FaultyAgent] = []
    let core: SwitchboardCore
    let loops: [MediaLoop]
    let ports = PortPool(20000...20999)
    let certificate: DTLSCertificate
    let log = VirtualLog()
    /// Writes recordings ten times a second, unless its disk stands still.
    private let recorder: Recorder?
    var isDiskStalled = false
    private var recorderTurn = VirtualGateway.start
    private(set) var now: NIODeadline
    /// Between turns of the media loops.
    var turn = TimeAmount.milliseconds(1)
    /// While set, the media loops do not run, and what comes waits in their sockets.
    var isStalled = false
    /// The share of a core that each media loop's thread uses.
    var busy = 0.0
    /// SIP messages the gateway sent, as text.
    private(set) var signalling: [String] = []
    private(set) var endpoint: SIPEndpoint

    private let outlets: VirtualOutlets
    private let ios: [VirtualMediaIO]
    private var peers: [VirtualPeer] = []
    /// SIP messages the gateway sent to itself.
    private var returning: [VirtualDatagram] = []
    private let clock: VirtualClock
    private let dialled: DialledAgents

    static let host = "203.0.113.10"
    static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    static let standardPlan = """
        routes:
          - name: assistant
            when: { to: assistant }
            do: [{ agent: assistant, parameters: { queue: support } }]
          - name: native
            when: { to: native }
            do: [{ agent: native, parameters: { queue: support } }, { agent: standby }]
          - name: interruptible
            when: { to: interruptible }
            do: [{ agent: assistant, barge_in: flush }]
          - name: spare
            when: { to: spare }
            do: [{ agent: assistant }, { agent: standby }, { reject: 486 }]
          - name: parrot
            when: { to: parrot }
            do: [{ agent: parrot }]
          - name: echo
            when: { to: echo }
            do: [{ agent: echo }]
          - name: out
            when: { to: "+1555XXXXXXX" }
            do: [{ trunk: carrier }]
          - name: second
            when: { to: second }
            do: [{ trunk: second, to: "+15550002222" }]
          - name: loop
            when: { to: "+1666XXXXXXX" }
            do: [{ trunk: mirror }]
          - name: either
            when: { to: either }
            do: [{ trunk: [carrier, second], to: "+15550001111", caller_id: "+15559998888", headers: { X-Queue: support } }]
          - name: agent then trunk
            when: { to: person }
            do: [{ agent: assistant }, { trunk: carrier, to: "+15550001111" }]
          - name: trunk then agent
            when: { to: office }
            do: [{ trunk: carrier, to: "+15550001111", ring_seconds: 5 }, { agent: standby }]
        """

    init(plan: String = VirtualGateway.standardPlan, loops count: Int = 1, seed: UInt64 = 1, recorder: Recorder? = nil) {
        self.recorder = recorder
        let start = Self.start
        let clock = VirtualClock(now: start)
        let dialled = DialledAgents()
        let outlets = VirtualOutlets(loopCount: count)
        let ports = ports
        certificate = Self.makeCertificate()
        var logger = Logger(label: "virtual", factory: { [log] _ in VirtualLogHandler(log: log) })
        logger.logLevel = .debug
        var ios: [VirtualMediaIO] = []
        var loops: [MediaLoop] = []
        for index in 0..<count {
            let io = VirtualMediaIO(browserAddress: Self.address(Self.host, 40000 + index), ports: ports)
            let random = SharedGenerator(seed: seed &* 31 &+ UInt64(index))
            let environment = MediaEnvironment(
                io: io, certificate: certificate, candidates: [Self.host], trunkAddress: Self.host,
                opusFromTrunk: OpusEncoder.Settings(bitrate: 24000, complexity: 1),
                opusFromAgent: OpusEncoder.Settings(bitrate: 24000, complexity: 5), randomness: { random },
                wallClock: { clock.wallClock },
                makeAgent: { order, events, logger, now in dialled.make(order, events, logger, now) }, logger: logger,
                threadTime: { clock.threadTime })
            ios.append(io)
            let loop = MediaLoop(index: index, environment: environment, now: start) { outlets.post(.media($0, $1)) }
            loop.overloadChanged = { outlets.post(.loopLoad(index, isOverloaded: $0)) }
            loops.append(loop)
        }
        self.loops = loops
        self.ios = ios
        self.clock = clock
        self.dialled = dialled
        self.outlets = outlets
        now = start
        endpoint = SIPEndpoint(
            configuration: .init(listeners: [.init(transport: .udp, host: Self.host, port: 5060)], serverName: "Tandem/virtual"),
            random: SeededGenerator(seed: seed &+ 17))
        core = SwitchboardCore(
            settings: Self.settings(plan), outlets: outlets, logger: logger, random: SharedGenerator(seed: seed &+ 99),
            clock: { clock.date }, uptime: { clock.now }, records: { [log] in log.records.append($0) }, recorder: recorder)
        dialled.made = { [unowned self] in
            agents.append($0)
            prepareAgent($0)
        }
        dialled.native = { [unowned self] in
            natives.append($0)
            prepareNative($0)
        }
        dialled.faulty = { [unowned self] in
            faulty.append($0)
            prepareFaulty($0)
        }
    }

    static func makeCertificate(_ profiles: [SRTPProfile] = SRTPProfile.allCases) -> DTLSCertificate {
        do { return try DTLSCertificate(profiles: profiles) } catch { preconditionFailure("no certificate: \(error)") }
    }

    static func address(_ host: String, _ port: Int) -> TransportAddress {
        guard let address = TransportAddress(host: host, port: port) else { preconditionFailure("no address: \(host)") }
        return address
    }

    private static func settings(_ plan: String) -> SwitchboardSettings {
        var configuration = Configuration()
        var trunk = Trunk(name: "phone")
        trunk.codecs = Trunk.Codec.allCases
        trunk.acceptFrom = [try? CIDR("192.0.2.0/24"), try? CIDR(host)].compactMap { $0 }
        configuration.trunks = [trunk] + calledTrunks.sorted { $0.key < $1.key }.map { name, host in
            var trunk = Trunk(name: name)
            trunk.hosts = [TrunkHost("sip:\(host)")].compactMap { $0 }
            if name == "second" { trunk.country = "1" }
            if name == "informed" { trunk.dtmf = .info }
            return trunk
        }
        configuration.agents = [
            Agent(name: "assistant", link: .socket(urls: ["ws://agent.test/"], .twilio)),
            Agent(name: "native", link: .socket(urls: ["ws://native.test/"], .tandem)),
            Agent(name: "standby", link: .socket(urls: ["ws://standby.test/"], .twilio)),
            Agent(name: "parrot", link: .builtin(.parrot)), Agent(name: "echo", link: .builtin(.echo)),
        ] + Agent.AgentProtocol.allCases.map { Agent(name: "faulty-\($0.rawValue)", link: .socket(urls: ["ws://faulty.test/"], $0)) }
        let context = PlanContext(trunks: ["phone": "", "carrier": "", "second": "1", "mirror": "", "informed": ""], agents: Set(configuration.agents.map(\.name)))
        let loaded = Plan.load(text: plan, file: "plan.yaml", context: context)
        guard let plan = loaded.plan else { preconditionFailure("\(loaded.problems)") }
        return SwitchboardSettings(configuration: configuration, plan: plan)
    }

    /// A reload with another configuration.
    func configure(_ change: (inout Configuration) -> Void) {
        var settings = core.settings
        change(&settings.configuration)
        post(.settings(settings))
    }

    /// What the web answers to the gateway.
    var web: (WebRequest) -> Result<[UInt8], WebRequest.Failure> {
        get { outlets.web }
        set { outlets.web = newValue }
    }

    /// While set, the web takes its time.
    var holdsWeb: Bool {
        get { outlets.holdsWeb }
        set { outlets.holdsWeb = newValue }
    }

    // MARK: Far ends

    /// A phone of the trunk, at an address of its own.
    func phone(_ options: FakeTrunk.Options = .init(), seed: UInt64 = 1) -> FakeTrunk {
        let host = Self.address("192.0.2.\(20 + peers.count)", 5060)
        let phone = FakeTrunk(host: host, options: options, seed: seed &+ UInt64(peers.count) &* 101)
        peers.append(phone)
        return phone
    }

    /// The phone that calls out by a trunk reach.
    func callee(_ options: FakeTrunk.Options = .init(), of trunk: String = "carrier", seed: UInt64 = 1) -> FakeTrunk {
        guard let host = Self.calledTrunks[trunk] else { preconditionFailure("no trunk \(trunk)") }
        let phone = FakeTrunk(host: Self.address(host, 5060), options: options, seed: seed &+ UInt64(peers.count) &* 101)
        peers.append(phone)
        return phone
    }

    /// Trunks that are called, and their hosts.
    private static let calledTrunks = ["carrier": "192.0.2.200", "second": "192.0.2.201", "mirror": host, "informed": "192.0.2.202"]

    /// A browser, at an address of its own.
    func browser(_ options: FakeBrowser.Options = .init(), seed: UInt64 = 1) -> FakeBrowser {
        let host = Self.address("198.51.100.\(20 + peers.count)", 50000)
        let browser = FakeBrowser(host: host, options: options, seed: seed &+ UInt64(peers.count) &* 101)
        browser.signalling = { [unowned self] event in
            outlets.post(event)
            pump()
        }
        peers.append(browser)
        return browser
    }

    var agent: FakeAgent? { agents.last }
    var native: FakeTandemAgent? { natives.last }
    var agentHealth: AgentHealth { dialled.health }
    /// What whoever ordered calls was told.
    var notices: [CallNotice] { outlets.notices }

    // MARK: Time

    /// Runs until the condition holds, or the time is over.
    /// - Returns: whether it holds.
    @discardableResult
    func run(for amount: TimeAmount, until condition: () -> Bool = { false }) -> Bool {
        let end = now + amount
        while now < end {
            if condition() { return true }
            step()
        }
        return condition()
    }

    private func step() {
        now = now + turn
        clock.now = now
        let returned = returning
        returning = []
        for datagram in returned { arrive(datagram) }
        for peer in peers {
            peer.step(now: now)
            peer.release(now: now)
            while let arrival = peer.uplink.receive(now: now) { arrive(arrival.datagram) }
        }
        sip { $0.expire(now: $1, into: &$2) }
        pump()
        clock.threadTime = clock.threadTime + .nanoseconds(Int64(Double(turn.nanoseconds) * busy))
        if !isStalled { for loop in loops { loop.turn(now: now) } }
        pump()
        for agent in agents { agent.step(now: now) }
        for agent in natives { agent.step(now: now) }
        for agent in faulty { agent.step(now: now) }
        pump()
        if let recorder, !isDiskStalled, now >= recorderTurn {
            recorder.turn()
            recorderTurn = now + .milliseconds(100)
        }
        deliver()
    }

    private func deliver() {
        for io in ios {
            for datagram in io.takeOutbox() { route(datagram) }
        }
        for peer in peers where !peer.isStalled {
            while let arrival = peer.downlink.receive(now: now) { peer.receive(arrival.datagram, now: now) }
        }
    }

    private func route(_ datagram: VirtualDatagram) {
        // A trunk that points at the gateway itself.
        if datagram.to.host == Self.host, datagram.to.port == 5060 { return returning.append(datagram) }
        guard let peer = peers.first(where: { $0.host.hasSameHost(as: datagram.to) }) else { return }
        // With the headers of IPv4 and UDP.
        peer.downlink.send(datagram, bytes: datagram.bytes.count + 28, now: now)
    }

    private func arrive(_ datagram: VirtualDatagram) {
        if datagram.to.port == 5060 {
            let flow = SIPFlow(
                transport: .udp, remote: SIPAddress(host: datagram.from.host, port: Int(datagram.from.port)), listener: 0)
            return sip { $0.receive(datagram.bytes, from: flow, known: true, now: $1, into: &$2) }
        }
        for io in ios where io.take(datagram) { return }
    }

    /// Does what was decided, and what follows from it, until nothing is left.
    func pump() {
        while !outlets.isEmpty {
            for work in outlets.takeAll() {
                switch work {
                case .sip(let body): sip(body)
                case .media(let loop, let body): body(loops[loop], now)
                case .event(let event): core.handle(event)
                }
            }
        }
    }

    func post(_ event: SwitchboardEvent) {
        outlets.post(event)
        pump()
    }

    private func sip(_ body: (inout SIPEndpoint, NIODeadline, inout [SIPOutput]) -> Void) {
        var outputs: [SIPOutput] = []
        body(&endpoint, now, &outputs)
        for output in outputs {
            guard case .send(let bytes, let flow) = output else {
                outlets.post(.sip(output))
                continue
            }
            signalling.append(String(decoding: bytes, as: UTF8.self))
            route(
                VirtualDatagram(
                    bytes: bytes, from: Self.address(Self.host, 5060), to: Self.address(flow.remote.host, flow.remote.port)))
        }
    }

    // MARK: Figures

    /// Milliseconds since the start.
    func milliseconds(_ time: NIODeadline) -> Double { Double((time - Self.start).nanoseconds) / 1e6 }

    /// What is left; empty when nothing is.
    var leftovers: [String] {
        var list: [String] = []
        func check(_ name: String, _ count: Int) { if count != 0 { list.append("\(name): \(count)") } }
        check("entries", core.entries.count)
        check("calls", core.figures.calls)
        check("ports", ports.count)
        check("sockets", ios.reduce(0) { $0 + $1.openPorts })
        for loop in loops {
            check("media calls", loop.calls.count)
            check("table", loop.table.isEmpty ? 0 : 1)
            check("queue", loop.snapshot().playoutQueueMilliseconds)
        }
        let counters = endpoint.counters
        check("server transactions", counters.serverTransactionsAlive)
        check("client transactions", counters.clientTransactionsAlive)
        check("dialogs", counters.dialogsAlive)
        check("timers", counters.timersAlive)
        check("agents", agents.count { $0.isUp })
        check("native agents", natives.count { $0.socket?.isUp == true })
        check("faulty agents", faulty.count { $0.socket?.isUp == true })
        check("alive", dialled.alive)
        return list
    }

    func call(_ index: Int = 0) -> MediaCall? { loops.lazy.flatMap { $0.calls.values }.dropFirst(index).first }
}
