import NIOCore
import TestKit
import Testing

@testable import Gateway

/// A trunk with `dtmf: info` gets its keys by SIP INFO, and by nothing else.
@Suite struct SignalledKeyTests {
    private static let plan = """
        routes:
          - name: out
            when: { to: informed }
            do: [{ trunk: informed, to: "+14155550199" }]
        """

    @Test func keysGoByInfoOneAfterTheOther() throws {
        let gateway = VirtualGateway(plan: Self.plan)
        let phone = gateway.phone()
        let callee = gateway.callee(.init(telephoneEvents: false), of: "informed")
        phone.call("informed")
        #expect(gateway.run(for: .seconds(3)) { callee.acknowledged && phone.isAnswered })
        #expect(callee.invites.first?.contains("telephone-event") == false)
        gateway.run(for: .milliseconds(500))
        callee.listener.forget()
        for key: UInt8 in [5, 11, 12] {
            phone.press(key)
            gateway.run(for: .milliseconds(400))
        }
        #expect(callee.informed == ["5", "#", "A"].map { "Signal=\($0)\r\nDuration=100\r\n" })
        // Neither events nor tones besides.
        #expect(callee.listener.packets.allSatisfy { $0.payloadType == 0 })
        #expect(callee.listener.sound(after: VirtualGateway.start).allSatisfy { abs(Int($0)) < 500 })
    }

    @Test func keysPressedAtOnceKeepTheirOrderAndAPace() throws {
        let keys = SignalledKeys()
        for character in "1234567890" { keys.add(try #require(Digit(character)), milliseconds: 100) }
        var sent: [(character: Character, at: Int)] = []
        for at in stride(from: 20, to: 3000, by: 20) {
            if let key = keys.next(now: .uptimeNanoseconds(UInt64(at) * 1_000_000)) { sent.append((key.digit.character, at)) }
        }
        #expect(String(sent.map(\.character)) == "1234567890")
        #expect(zip(sent, sent.dropFirst()).allSatisfy { $1.at - $0.at == 160 })
    }
}
