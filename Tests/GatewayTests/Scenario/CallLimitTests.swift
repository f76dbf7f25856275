import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Limits that protect money, and the record that every call leaves.
@Suite struct CallLimitTests {
    @Test func openBrowsersHaveABudget() {
        let gateway = VirtualGateway()
        gateway.configure { $0.limits.unauthenticated.paidCalls = 1 }
        let (first, second) = (gateway.browser(), gateway.browser())
        let (callee, other) = (gateway.callee(), gateway.callee(of: "second"))
        first.call(BridgeTests.number)
        gateway.run(for: .seconds(1))
        second.call("second")
        gateway.run(for: .seconds(1))
        #expect(first.events.last == .connected)
        #expect(callee.isAnswered)
        #expect(second.end?.reason == .refused)
        #expect(other.invites.isEmpty)
        #expect(gateway.core.limits.refused == [.paidCalls: 1])
        first.hangUp()
        gateway.run(for: .seconds(1))
        let third = gateway.browser()
        third.call("second")
        gateway.run(for: .seconds(1))
        #expect(third.events.last == .connected)
    }

    @Test func aFullTrunkIsPassedOver() {
        let gateway = VirtualGateway()
        gateway.configure { configuration in
            for index in configuration.trunks.indices where configuration.trunks[index].name == "carrier" {
                configuration.trunks[index].maxCalls = 1
            }
        }
        let (first, second) = (gateway.phone(), gateway.phone())
        let (callee, other) = (gateway.callee(), gateway.callee(of: "second"))
        first.call("either")
        gateway.run(for: .seconds(1))
        second.call("either")
        gateway.run(for: .seconds(1))
        #expect(first.isAnswered && second.isAnswered)
        #expect(callee.invites.count == 1)
        #expect(other.invites.count == 1)
        #expect(gateway.core.limits.refused == [.trunkCalls: 1])
    }

    @Test func aCallThatIsOverKeepsNobodyOut() {
        let gateway = VirtualGateway()
        gateway.configure { configuration in
            configuration.limits.maxCalls = 1
            for index in configuration.trunks.indices { configuration.trunks[index].maxCalls = 1 }
        }
        let (first, second, third) = (gateway.phone(), gateway.phone(), gateway.phone())
        first.call("assistant")
        gateway.run(for: .seconds(1))
        second.call("assistant")
        gateway.run(for: .milliseconds(100))
        #expect(first.isAnswered && second.statuses == [100, 503])
        // Long before the agent has had its time to say goodbye.
        first.hangUp()
        third.call("assistant")
        gateway.run(for: .seconds(1))
        #expect(third.isAnswered)
        third.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func aRecordTellsTheWholeCall() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        let (first, second) = (gateway.callee(), gateway.callee(of: "second"))
        first.reactions = [(.milliseconds(10), .refuse(503))]
        second.reactions = [(.milliseconds(500), .progress(180)), (.seconds(2), .answer)]
        phone.call("either")
        #expect(gateway.run(for: .seconds(4)) { phone.isAnswered })
        gateway.run(for: .seconds(5))
        phone.hangUp()
        gateway.run(for: .seconds(1))
        let record = try #require(gateway.log.records.first)
        #expect(gateway.log.records.count == 1)
        #expect(record.via == "phone")
        #expect(record.from == .init(given: "+14155552671", e164: "+14155552671"))
        #expect(record.to.given == "either")
        #expect(record.route == "either")
        #expect(record.steps.map(\.target) == ["carrier", "second"])
        #expect(record.steps.map(\.outcome) == ["unreachable", "answered"])
        #expect(record.steps.map(\.dialled) == ["+15550001111", "+15550001111"])
        #expect(record.cause == .callerHangup)
        let (started, ringing) = (record.startedAt, try #require(record.ringingAt))
        let (answered, ended) = (try #require(record.answeredAt), try #require(record.endedAt))
        #expect(abs(ringing.timeIntervalSince(started) - 0.5) < 0.1)
        #expect(abs(answered.timeIntervalSince(started) - 2) < 0.1)
        #expect(abs(ended.timeIntervalSince(answered) - 5) < 0.1)
        #expect(record.legs.map(\.kind) == [.trunk, .trunk])
        #expect(record.legs.map(\.name) == ["phone", "second"])
        #expect(record.legs.map(\.codec) == ["PCMU", "PCMU"])
        #expect(record.legs.allSatisfy { $0.packetsReceived > 240 && $0.packetsSent > 240 && $0.lost == 0 })
        #expect(record.events.map(\.what) == ["Trunk carrier: The called party could not be reached.", "Ringing.", "Trunk second answered.", "Answered."])
        #expect(record.explanation?.json.contains("either") == true)
    }

    @Test func whatIsRefusedAtOnceLeavesARecord() throws {
        let gateway = VirtualGateway()
        gateway.browser().call("nobody")
        gateway.run(for: .seconds(1))
        gateway.configure { configuration in
            for index in configuration.trunks.indices { configuration.trunks[index].acceptFrom = [] }
        }
        gateway.phone().call("echo")
        gateway.run(for: .seconds(1))
        #expect(gateway.log.records.map(\.via) == ["browser", CallRecord.stranger])
        #expect(gateway.log.records.map(\.cause) == [.noRoute, .refused])
        #expect(gateway.log.records.map(\.to.given) == ["nobody", "echo"])
        #expect(gateway.log.records.allSatisfy { $0.endedAt != nil && $0.legs.isEmpty })
    }

    @Test func aFloodIsNotRecordedWhole() {
        let gateway = VirtualGateway()
        for _ in 1...50 { gateway.browser().call("nobody") }
        gateway.run(for: .milliseconds(100))
        #expect(gateway.log.records.count == SwitchboardCore.refusalsRecordedPerSecond)
        gateway.run(for: .seconds(2))
        gateway.browser().call("nobody")
        gateway.run(for: .milliseconds(100))
        #expect(gateway.log.records.count == SwitchboardCore.refusalsRecordedPerSecond + 1)
    }
}
