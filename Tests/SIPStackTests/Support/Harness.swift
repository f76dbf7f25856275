import NIOCore

@testable import SIPStack

/// An endpoint on virtual time with everything it put out.
final class Harness {
    var endpoint: SIPEndpoint
    private(set) var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private(set) var sent: [(message: ParsedMessage, flow: SIPFlow, at: NIODeadline)] = []
    fileprivate(set) var events: [SIPOutput] = []
    private(set) var closed: [UInt64] = []
    let start: NIODeadline

    static let phone = SIPAddress(host: "192.0.2.15", port: 5060)
    static let udp = SIPFlow(transport: .udp, remote: phone, listener: 0)
    static let tcp = SIPFlow(transport: .tcp, remote: SIPAddress(host: "192.0.2.15", port: 40_001), connection: 7, listener: 1)
    static let sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.15\r\ns=-\r\nc=IN IP4 192.0.2.15\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
    static let ourSDP = "v=0\r\no=- 9 9 IN IP4 203.0.113.10\r\ns=-\r\nc=IN IP4 203.0.113.10\r\nt=0 0\r\nm=audio 20000 RTP/AVP 0\r\n"

    static let configuration = SIPEndpoint.Configuration(
        listeners: [.init(transport: .udp, host: "203.0.113.10", port: 5060), .init(transport: .tcp, host: "203.0.113.10", port: 5060)],
        serverName: "Tandem/test")

    init(seed: UInt64 = 1, configuration: SIPEndpoint.Configuration = Harness.configuration) {
        endpoint = SIPEndpoint(configuration: configuration, random: SplitMix(seed))
        start = now
    }

    /// Runs a command or input and files what comes out.
    func run(_ body: (inout SIPEndpoint, NIODeadline, inout [SIPOutput]) -> Void) {
        var out: [SIPOutput] = []
        body(&endpoint, now, &out)
        for output in out {
            switch output {
            case .send(let bytes, let flow): sent.append((ParsedMessage(bytes), flow, now))
            case .close(let connection): closed.append(connection)
            default: events.append(output)
            }
        }
    }

    func receive(_ text: String, from flow: SIPFlow = Harness.udp, known: Bool = true) {
        receive(Array(text.utf8), from: flow, known: known)
    }

    func receive(_ bytes: [UInt8], from flow: SIPFlow = Harness.udp, known: Bool = true) {
        run { $0.receive(bytes, from: flow, known: known, now: $1, into: &$2) }
    }

    /// Lets virtual time pass, stopping at every deadline on the way.
    func advance(_ amount: TimeAmount) {
        let end = now + amount
        while let deadline = endpoint.deadline, deadline <= end {
            now = max(now, deadline)
            run { $0.expire(now: $1, into: &$2) }
        }
        now = end
    }

    /// What was sent since the last call.
    func takeSent() -> [ParsedMessage] {
        defer { sent = [] }
        return sent.map(\.message)
    }

    func takeEvents() -> [SIPOutput] {
        defer { events = [] }
        return events
    }

    var statuses: [Int] { sent.compactMap(\.message.status) }

    /// Nothing alive: no transaction, dialog or timer.
    var isIdle: Bool {
        let counters = endpoint.counters
        return counters.serverTransactionsAlive == 0 && counters.clientTransactionsAlive == 0 && counters.dialogsAlive == 0
            && counters.timersAlive == 0 && endpoint.deadline == nil && endpoint.serverIndex.isEmpty && endpoint.mergeIndex.isEmpty
            && endpoint.outgoing.isEmpty && endpoint.outgoingByTag.isEmpty && endpoint.clientIndex.isEmpty && endpoint.dialogIndex.isEmpty
    }

    /// The last call that came in.
    var incoming: SIPIncomingCall? {
        for case .incoming(let call) in events.reversed() { return call }
        return nil
    }

    /// Milliseconds after the start at which messages that satisfy `condition` went out.
    func times(where condition: (ParsedMessage) -> Bool) -> [Int64] {
        sent.filter { condition($0.message) }.map { ($0.at - start).nanoseconds / 1_000_000 }
    }
}
