import NIOCore
import TestKit
import Testing

@testable import Gateway

/// A call that leaves by a trunk: both far ends hear each other, whatever they speak.
@Suite struct BridgeTests {
    static let number = "+15552223333"

    struct Pairing: CustomTestStringConvertible, Sendable {
        var codec: String
        var milliseconds: Int
        var calleeCodec: String
        var calleeMilliseconds: Int

        init(_ codec: String, _ milliseconds: Int, _ calleeCodec: String, _ calleeMilliseconds: Int) {
            (self.codec, self.milliseconds) = (codec, milliseconds)
            (self.calleeCodec, self.calleeMilliseconds) = (calleeCodec, calleeMilliseconds)
        }

        var testDescription: String { "\(codec) \(milliseconds) ms and \(calleeCodec) \(calleeMilliseconds) ms" }
    }

    @Test func aBrowserAndACalleeHearEachOther() throws {
        let gateway = VirtualGateway()
        let browser = gateway.browser()
        let callee = gateway.callee()
        browser.call(Self.number)
        #expect(gateway.run(for: .seconds(3)) { callee.isAnswered && browser.events.last == .connected })
        gateway.run(for: .milliseconds(500))
        Self.expectTones(gateway, browser.speaker, callee.listener, limit: 41, snr: 20)
        Self.expectTones(gateway, callee.speaker, browser.listener, limit: 41, snr: 20)
        #expect(browser.events == [.ringing, .connected])
        #expect(callee.acknowledged)
        AgentFailureTests.expectOneAxis(callee.listener)
        AgentFailureTests.expectOneAxis(browser.listener)
        #expect(gateway.core.figures.callsOut == [CallOut(trunk: "carrier", result: "answered"): 1])
    }

    @Test(arguments: [
        Pairing("pcmu", 20, "pcmu", 20), Pairing("pcma", 20, "pcmu", 20), Pairing("pcmu", 10, "pcma", 60), Pairing("pcmu", 30, "pcmu", 20),
        Pairing("pcma", 40, "pcma", 50), Pairing("pcmu", 60, "pcmu", 60),
    ])
    func twoPhonesHearEachOther(_ pairing: Pairing) throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone(.init(codec: pairing.codec, packetMilliseconds: pairing.milliseconds))
        let callee = gateway.callee(.init(codec: pairing.calleeCodec, packetMilliseconds: pairing.calleeMilliseconds))
        phone.call(Self.number)
        #expect(gateway.run(for: .seconds(3)) { phone.isAnswered && callee.acknowledged })
        gateway.run(for: .milliseconds(500))
        let limit = 1 + Int64(pairing.milliseconds + pairing.calleeMilliseconds)
        Self.expectTones(gateway, phone.speaker, callee.listener, limit: limit, snr: 30)
        Self.expectTones(gateway, callee.speaker, phone.listener, limit: limit, snr: 30)
        #expect(phone.statuses == [100, 180, 200])
        // The gateway sends what each phone asked for.
        #expect(callee.listener.audioPackets.allSatisfy { $0.payload.count == pairing.calleeMilliseconds * 8 })
        #expect(phone.listener.audioPackets.allSatisfy { $0.payload.count == pairing.milliseconds * 8 })
        AgentFailureTests.expectOneAxis(callee.listener)
        AgentFailureTests.expectOneAxis(phone.listener)
    }

    enum HangingUp: CaseIterable { case caller, callee }

    @Test(arguments: HangingUp.allCases) func eitherSideHangsUp(_ who: HangingUp) throws {
        let gateway = VirtualGateway()
        let (phone, browser) = (gateway.phone(), gateway.browser())
        let (callee, other) = (gateway.callee(), gateway.callee(of: "second"))
        phone.call(Self.number)
        browser.call("second")
        #expect(gateway.run(for: .seconds(3)) { phone.isAnswered && browser.events.last == .connected })
        gateway.run(for: .seconds(1))
        switch who {
        case .caller:
            phone.hangUp()
            browser.hangUp()
        case .callee:
            callee.hangUp()
            other.hangUp()
        }
        gateway.run(for: .milliseconds(20))
        switch who {
        case .caller:
            #expect(callee.byeAt != nil && other.byeAt != nil)
            #expect(phone.byeAt == nil)
            #expect(gateway.core.figures.ended == [.callerHangup: 2])
        case .callee:
            #expect(phone.byeAt != nil)
            #expect(browser.end?.reason == .calleeHangup)
            #expect(callee.byeAt == nil && other.byeAt == nil)
            #expect(gateway.core.figures.ended == [.calleeHangup: 2])
        }
        EndOfCallTests.expectNothingLeft(gateway)
    }

    /// Two seconds of a tone: heard whole, at once, without a click.
    static func expectTones(
        _ gateway: VirtualGateway, _ speaker: Speaker, _ listener: Listener, limit: Int64, snr: Double,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let said = gateway.now
        speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 2, rate: speaker.rate))
        gateway.run(for: .milliseconds(2500))
        guard let heard = listener.firstSound(after: said) else {
            Issue.record("nothing was heard", sourceLocation: sourceLocation)
            return
        }
        #expect(heard - said <= .milliseconds(limit), sourceLocation: sourceLocation)
        SoundBothWaysTests.expectTone(
            listener.sound(after: said), rate: listener.rate, hertz: 1000, seconds: 2, snr: snr, sourceLocation: sourceLocation)
    }
}
