import NIOCore
import Testing

@testable import SIPStack

/// Seeded nonsense made of the torture messages and of whole calls: nothing traps, and nothing stays behind.
@Suite struct MutationTests {
    static let snippets: [[UInt8]] = [
        "\r\n", "\r\n\r\n", "\0", ";", ",", "<", ">", "\"", "\\", "%00", "%", "@", ":", "[", "]", "SIP/2.0", "z9hG4bK", ";tag=", ";lr", ";rport", ";maddr=192.0.2.1",
        "Content-Length: 0\r\n", "Content-Length: 99999999999999999999\r\n", "CSeq: 1 ACK\r\n", "INVITE ", "ACK ", "CANCEL ", "BYE ", "Require: x\r\n",
        "Content-Type: multipart/mixed;boundary=\r\n", "Via: SIP/2.0/UDP [::1\r\n", "\u{FEFF}", "-1", "MESSAGE ", "NOTIFY ", "Content-Type: text/plain\r\n", "Event: refer;id=\r\n", "Allow: INFO\r\n", "SIP/2.0 999", "4294967296", " \t ", "sip:", "tel:",
    ].map { Array($0.utf8) }

    static func mutate(_ original: [UInt8], with others: [[UInt8]], random: inout SplitMix) -> [UInt8] {
        var bytes = original
        for _ in 0..<(1 + random.next() % 4) {
            let position = bytes.isEmpty ? 0 : Int(random.next() % UInt64(bytes.count))
            let length = min(bytes.count - position, Int(random.next() % 40))
            switch random.next() % 8 {
            case 0 where !bytes.isEmpty: bytes[position] = UInt8(truncatingIfNeeded: random.next())
            case 1 where !bytes.isEmpty: bytes[position] ^= 1 << UInt8(random.next() % 8)
            case 2: bytes.removeSubrange(position..<position + length)
            case 3: bytes.insert(contentsOf: bytes[position..<position + length], at: position)
            case 4, 5: bytes.insert(contentsOf: snippets[Int(random.next() % UInt64(snippets.count))], at: position)
            case 6: bytes.removeSubrange(position...)
            default:
                let other = others[Int(random.next() % UInt64(others.count))]
                let cut = other.isEmpty ? 0 : Int(random.next() % UInt64(other.count))
                bytes = Array(bytes[..<position]) + other[cut...]
            }
        }
        return bytes
    }

    /// The user of the stack does something, anything, with every call.
    private func react(_ harness: Harness, _ random: inout SplitMix) {
        for event in harness.takeEvents() {
            switch event {
            case .incoming(let call):
                harness.run { $0.ring(call.id, now: $1, into: &$2) }
                switch random.next() % 3 {
                case 0: harness.run { $0.accept(call.id, sdp: Harness.ourSDP, now: $1, into: &$2) }
                case 1: harness.run { $0.reject(call.id, status: 404, now: $1, into: &$2) }
                default: harness.run { $0.hangUp(call.id, now: $1, into: &$2) }
                }
            case .reoffer(let call, _): harness.run { $0.answerReoffer(call, sdp: Harness.ourSDP, now: $1, into: &$2) }
            case .message(let message): harness.run { $0.answerMessage(message, status: 200, now: $1, into: &$2) }
            default: break
            }
        }
    }

    @Test func tortureMessagesMutated() {
        let vectors = TortureTests.cases.map { TortureTests.vector($0.file) }
        var random = SplitMix(20_000)
        let harness = Harness()
        for round in 1...20_000 {
            let message = Self.mutate(vectors[round % vectors.count], with: vectors, random: &random)
            let isStream = random.next() % 4 == 0
            let known = random.next() % 8 != 0
            if isStream {
                var framer = SIPStreamFramer()
                var out: [SIPStreamFramer.Output] = []
                framer.receive(message, into: &out)
                for case .message(let framed) in out { harness.receive(framed, from: Harness.tcp, known: known) }
            } else {
                harness.receive(message, known: known)
            }
            react(harness, &random)
            if round % 8 == 0 { _ = harness.takeSent() }
            if round % 1_000 == 0 {
                harness.run { $0.connectionClosed(7, now: $1, into: &$2) }
                // A 200 waits 64*T1 for its ACK, and the BYE after it as long for its answer.
                harness.advance(.seconds(70))
                _ = harness.takeSent()
                #expect(harness.isIdle, "round \(round): \(harness.endpoint.counters)")
            }
        }
        #expect(harness.endpoint.counters.malformed > 1_000 && harness.endpoint.counters.unreadable > 100)
    }

    @Test func requestsOfALiveCallMutated() {
        var random = SplitMix(77)
        for round in 0..<60 {
            let harness = Harness(seed: UInt64(round))
            let (call, caller) = harness.establish()
            _ = harness.takeEvents()
            harness.run { $0.refer(call, to: "bob", at: SIPTarget(Callee.address), limit: .seconds(60), now: $1, into: &$2) }
            for reference in Int64(1)...3 {
                harness.run { $0.sendText(call, reference: reference, contentType: "text/plain", body: [120], now: $1, into: &$2) }
            }
            let answers = harness.takeSent().suffix(2).map { Callee.response(202, to: $0) }
            let requests = [
                caller.request("INVITE", branch: "z9hG4bKm1", sequence: 2, body: Harness.sdp), caller.ack(branch: "z9hG4bKm2", sequence: 2),
                caller.request("UPDATE", branch: "z9hG4bKm3", sequence: 3, body: Harness.sdp), caller.request("CANCEL", branch: "z9hG4bKm1", sequence: 2),
                caller.request("INFO", branch: "z9hG4bKm4", sequence: 4, body: "Signal=1\r\n", type: "application/dtmf-relay"),
                caller.request("BYE", branch: "z9hG4bKm5", sequence: 5), caller.request("OPTIONS", branch: "z9hG4bKm6", sequence: 6),
                caller.request("MESSAGE", branch: "z9hG4bKm7", sequence: 7, body: "hello", type: "text/plain"),
                caller.request("NOTIFY", branch: "z9hG4bKm8", sequence: 8, extra: ["Event: refer", "Subscription-State: active"], body: "SIP/2.0 180 Ringing\r\n", type: "message/sipfrag"),
                caller.request("NOTIFY", branch: "z9hG4bKm9", sequence: 9, extra: ["Event: refer", "Subscription-State: terminated"], body: "SIP/2.0 486 Busy\r\n", type: "message/sipfrag"),
            ].map { Array($0.utf8) } + answers.map { Array($0.utf8) }
            for _ in 0..<80 {
                let original = requests[Int(random.next() % UInt64(requests.count))]
                harness.receive(random.next() % 3 == 0 ? original : Self.mutate(original, with: requests, random: &random))
                react(harness, &random)
                harness.advance(.milliseconds(Int64(random.next() % 700)))
            }
            harness.run { $0.hangUp(call, now: $1, into: &$2) }
            harness.advance(.seconds(100))
            #expect(harness.isIdle, "round \(round): \(harness.endpoint.counters)")
        }
    }
}
