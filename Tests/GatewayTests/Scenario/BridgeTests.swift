import NIOCore
import SDP
import TestKit
import Testing

@testable import Gateway

/// A call that leaves by a trunk: both far ends hear each other, whatever they speak.
@Suite struct BridgeTests {
    static let number = "+15552223333"

    struct Pairing: CustomTestStringConvertible, Sendable {
        var codec: AudioCodec
        var milliseconds: Int
        var calleeCodec: AudioCodec
        var calleeMilliseconds: Int

        init(_ codec: AudioCodec, _ milliseconds: Int, _ calleeCodec: AudioCodec, _ calleeMilliseconds: Int) {
            (self.codec, self.milliseconds) = (codec, milliseconds)
            (self.calleeCodec, self.calleeMilliseconds) = (calleeCodec, calleeMilliseconds)
        }

        var testDescription: String { "\(codec) \(milliseconds) ms and \(calleeCodec) \(calleeMilliseconds) ms" }
    }

    /// What G.711 cannot carry crosses between far ends that can.
    @Test(arguments: [(AudioCodec.g722, AudioCodec.g722), (.opus, .g722), (.g722, .opus), (.l16Wide, .g722)])
    func widebandStaysWide(_ codec: AudioCodec, _ calleeCodec: AudioCodec) {
        let gateway = VirtualGateway()
        let phone = gateway.phone(.init(codec: codec))
        let callee = gateway.callee(.init(codec: calleeCodec))
        phone.call(Self.number)
        #expect(gateway.run(for: .seconds(3)) { phone.isAnswered && callee.acknowledged })
        gateway.run(for: .milliseconds(500))
        for (speaker, listener) in [(phone.speaker, callee.listener), (callee.speaker, phone.listener)] {
            let said = gateway.now
            speaker.say(SoundMaterial.tone(hertz: 5500, seconds: 1, rate: speaker.rate))
            gateway.run(for: .milliseconds(1500))
            let report = ToneMeter.analyse(listener.sound(after: said), rate: listener.rate, expectedHz: 5500)
            #expect(abs(report.frequency - 5500) < 1)
            #expect(report.snr > 15, "of \(listener.rate) Hz")
            #expect(report.gaps.isEmpty)
        }
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
        Pairing(.pcmu, 20, .pcmu, 20), Pairing(.pcma, 20, .pcmu, 20), Pairing(.pcmu, 10, .pcma, 60), Pairing(.pcmu, 30, .pcmu, 20),
        Pairing(.pcma, 40, .pcma, 50), Pairing(.pcmu, 60, .pcmu, 60), Pairing(.g722, 20, .g722, 20), Pairing(.g722, 30, .g722, 20),
        Pairing(.g722, 20, .pcmu, 20), Pairing(.pcma, 10, .g722, 40), Pairing(.opus, 20, .pcmu, 20), Pairing(.g722, 20, .opus, 20),
        Pairing(.opus, 60, .opus, 20), Pairing(.opus, 10, .g722, 60),
    ])
    func twoPhonesHearEachOther(_ pairing: Pairing) throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone(.init(codec: pairing.codec, packetMilliseconds: pairing.milliseconds))
        let callee = gateway.callee(.init(codec: pairing.calleeCodec, packetMilliseconds: pairing.calleeMilliseconds))
        phone.call(Self.number)
        #expect(gateway.run(for: .seconds(3)) { phone.isAnswered && callee.acknowledged })
        gateway.run(for: .milliseconds(500))
        let limit = 1 + Int64(pairing.milliseconds + pairing.calleeMilliseconds)
        // Opus looks 6.5 ms ahead, a resampler between the rates 2 ms, and either may push the first sound to the next packet.
        let isPlain = [pairing.codec, pairing.calleeCodec].allSatisfy { $0 == .pcmu || $0 == .pcma }
        let slack: Int64 = isPlain ? 0 : Int64(max(pairing.milliseconds, pairing.calleeMilliseconds)) + 10
        let snr: Double = pairing.codec == .opus || pairing.calleeCodec == .opus ? 20 : 30
        Self.expectTones(gateway, phone.speaker, callee.listener, limit: limit + slack, snr: snr)
        Self.expectTones(gateway, callee.speaker, phone.listener, limit: limit + slack, snr: snr)
        #expect(phone.statuses == [100, 180, 200])
        // The gateway sends what each phone asked for.
        if pairing.calleeCodec != .opus {
            #expect(callee.listener.audioPackets.allSatisfy { $0.payload.count == pairing.calleeMilliseconds * 8 })
        }
        if pairing.codec != .opus { #expect(phone.listener.audioPackets.allSatisfy { $0.payload.count == pairing.milliseconds * 8 }) }
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
