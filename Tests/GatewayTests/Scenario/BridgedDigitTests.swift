import NIOCore
import TestKit
import Testing
import Transcode

@testable import Gateway

/// Keys between two far ends: events become events of the other axis, or tones where the far end takes no events.
@Suite struct BridgedDigitTests {
    @Test func keysGoBothWaysOnceEach() throws {
        let gateway = VirtualGateway()
        let (phone, browser) = (gateway.phone(), gateway.browser())
        let (callee, other) = (gateway.callee(), gateway.callee(of: "second"))
        phone.call(BridgeTests.number)
        browser.call("second")
        #expect(gateway.run(for: .seconds(3)) { callee.acknowledged && other.acknowledged && browser.isConnected })
        // The browser's ringing tone is over.
        gateway.run(for: .seconds(1))
        for listener in [phone.listener, browser.listener, callee.listener, other.listener] { listener.forget() }
        for key in UInt8(0)..<16 {
            // The tone of the key leaks into the sound.
            phone.speaker.say(Self.tone(key, rate: 8000))
            browser.speaker.say(Self.tone(key, rate: 48000))
            phone.press(key)
            browser.press(key)
            gateway.run(for: .milliseconds(400))
            other.speaker.say(Self.tone(15 - key, rate: 8000))
            callee.press(15 - key)
            other.press(15 - key)
            gateway.run(for: .milliseconds(400))
        }
        let keys = Array(UInt8(0)..<16)
        for listener in [callee.listener, other.listener] {
            #expect(Self.keys(listener, type: 101, step: 160) == keys)
            #expect(listener.sound.map { abs(Int($0)) }.max() ?? 0 < 500)
            AgentFailureTests.expectOneAxis(listener)
        }
        #expect(Self.keys(phone.listener, type: 101, step: 160) == keys.reversed())
        #expect(Self.keys(browser.listener, type: 110, step: 960) == keys.reversed())
        #expect(browser.listener.sound.map { abs(Int($0)) }.max() ?? 0 < 500)
        AgentFailureTests.expectOneAxis(phone.listener)
        AgentFailureTests.expectOneAxis(browser.listener)
    }

    @Test func aFarEndWithoutEventsHearsTones() throws {
        let gateway = VirtualGateway()
        let browser = gateway.browser()
        let callee = gateway.callee(.init(telephoneEvents: false))
        browser.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(3)) { callee.acknowledged && browser.isConnected })
        gateway.run(for: .milliseconds(500))
        let pressed = gateway.now
        browser.press(5)
        gateway.run(for: .milliseconds(600))
        let heard = callee.listener.sound(after: pressed)
        #expect(Correlation.best(of: Self.tone(5, rate: 8000, milliseconds: 90), in: heard, rate: 8000).coefficient > 0.9)
        let id = try #require(browser.callID)
        gateway.loops[0].perform(on: id, now: gateway.now) { call in
            for character in "12#" { if let digit = Digit(character) { call.pressed(digit, now: gateway.now) } }
        }
        let dialled = gateway.now
        gateway.run(for: .seconds(1))
        let detector = DTMFDetector()
        detector.isEnabled = true
        var events: [DTMFDetector.Event] = []
        callee.listener.sound(after: dialled).withUnsafeBufferPointer { detector.process($0, into: &events) }
        #expect(events == "12#".flatMap { [.began($0), .ended($0)] })
    }

    /// A phone sends no sound while it sends an event: the tones must not wait for it.
    @Test func eventsOfAPhoneBecomeWholeTones() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        let callee = gateway.callee(.init(telephoneEvents: false))
        phone.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(3)) { callee.acknowledged && phone.isAnswered })
        gateway.run(for: .milliseconds(500))
        let dialled = gateway.now
        phone.leaksUnderKeys = false
        for key: UInt8 in [1, 5, 9, 10] {
            phone.press(key, milliseconds: 160)
            gateway.run(for: .milliseconds(220))
        }
        gateway.run(for: .milliseconds(500))
        let detector = DTMFDetector()
        detector.isEnabled = true
        var events: [DTMFDetector.Event] = []
        callee.listener.sound(after: dialled).withUnsafeBufferPointer { detector.process($0, into: &events) }
        #expect(events == "159*".flatMap { [.began($0), .ended($0)] })
        AgentFailureTests.expectOneAxis(callee.listener)
    }

    /// The keys in a stream: one marker, one timestamp and three end packets each.
    static func keys(_ listener: Listener, type: UInt8, step: Int) -> [UInt8] {
        let events = listener.packets.filter { $0.payloadType == type }
        var keys: [UInt8] = []
        var last: UInt32?
        for event in events where event.timestamp != last {
            last = event.timestamp
            let same = events.filter { $0.timestamp == event.timestamp }
            #expect(same.first?.marker == true)
            #expect(same.count { $0.payload.count == 4 && $0.payload[1] & 0x80 != 0 } == 3)
            #expect(same.last.map { Int($0.payload[2]) << 8 | Int($0.payload[3]) } == 5 * step)
            keys.append(event.payload.first ?? 255)
        }
        return keys
    }

    static func tone(_ key: UInt8, rate: Int, milliseconds: Int = 120) -> [Int16] {
        let generator = ToneGenerator(rate: rate)
        _ = generator.start(digit: Tone.digits[Int(key)], milliseconds: milliseconds)
        return [Int16](unsafeUninitializedCapacity: rate * milliseconds / 1000) { samples, count in count = generator.generate(into: samples) }
    }
}
