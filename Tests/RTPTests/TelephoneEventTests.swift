import NIOCore
import TestKit
import Testing

@testable import RTP

@Suite struct TelephoneEventReceiverTests {
    /// A session that has heard one packet of sound, sequence 1000, timestamp 1000.
    private func established() -> Listener {
        let listener = Listener()
        listener.receive(.voice(0))
        _ = listener.take()
        return listener
    }

    private func press(
        _ listener: Listener, _ event: UInt8, from sequence: Int, timestamp: UInt32, packets: Int, ends: Int = 3
    ) {
        for index in 0..<packets {
            let duration = UInt16(160 * (index + 1))
            listener.receive(.digit(event, sequence: sequence + index, timestamp: timestamp, duration: duration))
            listener.advance(milliseconds: 20)
        }
        for index in 0..<ends {
            let duration = UInt16(160 * (packets + 1))
            let number = sequence + packets + index
            listener.receive(.digit(event, sequence: number, timestamp: timestamp, duration: duration, end: true))
            listener.advance(milliseconds: 20)
        }
    }

    @Test(arguments: UInt8(0)...15)
    func oneStartAndOneEnd(event: UInt8) {
        let listener = established()
        press(listener, event, from: 1_001, timestamp: 1_160, packets: 4)
        #expect(
            listener.take() == [
                .digit(.started(digit: event, timestamp: 1_160)),
                .digit(.ended(digit: event, durationSamples: 800, clockRate: 8_000)),
            ])
        #expect(listener.deadline == nil)
    }

    @Test func otherEventsAreNotKeys() {
        let listener = established()
        press(listener, 16, from: 1_001, timestamp: 1_160, packets: 2)
        press(listener, 36, from: 1_006, timestamp: 2_160, packets: 2)
        #expect(listener.take().isEmpty)
    }

    @Test func startAndEndInOneSurvivingPacket() {
        let listener = established()
        listener.receive(.digit(7, sequence: 1_009, timestamp: 1_160, duration: 800, end: true))
        #expect(
            listener.take() == [
                .digit(.started(digit: 7, timestamp: 1_160)),
                .digit(.ended(digit: 7, durationSamples: 800, clockRate: 8_000)),
            ])
    }

    @Test func aLostEndIsNoticedAfterThreeIntervals() {
        let listener = established()
        press(listener, 3, from: 1_001, timestamp: 1_160, packets: 3, ends: 0)
        // The last packet came 20 ms ago, they are 20 ms apart.
        #expect(listener.take() == [.digit(.started(digit: 3, timestamp: 1_160))])
        listener.advance(milliseconds: 39)
        #expect(listener.take().isEmpty)
        listener.advance(milliseconds: 1)
        #expect(listener.take() == [.digit(.ended(digit: 3, durationSamples: 480, clockRate: 8_000))])
        // An end that comes after all is of the same press.
        listener.receive(.digit(3, sequence: 1_004, timestamp: 1_160, duration: 640, end: true))
        #expect(listener.take().isEmpty)
    }

    @Test func aLostEndIsNoticedByTheNextKey() {
        let listener = established()
        press(listener, 1, from: 1_001, timestamp: 1_160, packets: 2, ends: 0)
        listener.receive(.digit(1, sequence: 1_020, timestamp: 9_000, duration: 160))
        #expect(
            listener.take() == [
                .digit(.started(digit: 1, timestamp: 1_160)),
                .digit(.ended(digit: 1, durationSamples: 320, clockRate: 8_000)),
                .digit(.started(digit: 1, timestamp: 9_000)),
            ])
    }

    @Test func theSameKeyTwiceIsTwoPresses() {
        let listener = established()
        press(listener, 4, from: 1_001, timestamp: 1_160, packets: 2)
        press(listener, 4, from: 1_006, timestamp: 3_000, packets: 2)
        let starts = listener.take().filter { if case .digit(.started) = $0 { true } else { false } }
        #expect(starts == [.digit(.started(digit: 4, timestamp: 1_160)), .digit(.started(digit: 4, timestamp: 3_000))])
    }

    @Test func aPressAfterTheSendersTimestampsWentBack() {
        let listener = established()
        press(listener, 4, from: 1_001, timestamp: 500_000, packets: 2)
        press(listener, 4, from: 1_006, timestamp: 90_000, packets: 2)
        #expect(listener.take().count == 4)
    }

    @Test func segmentsOfALongPressAreOne() {
        let listener = established()
        listener.receive(.digit(2, sequence: 1_001, timestamp: 2_000, duration: 160))
        listener.receive(.digit(2, sequence: 1_002, timestamp: 2_000, duration: 0xFFFF))
        listener.receive(.digit(2, sequence: 1_003, timestamp: 2_000 + 0xFFFF, duration: 400))
        listener.receive(.digit(2, sequence: 1_004, timestamp: 2_000, duration: 0xFFFF))
        listener.receive(.digit(2, sequence: 1_005, timestamp: 2_000 + 0xFFFF, duration: 800, end: true))
        listener.receive(.digit(2, sequence: 1_006, timestamp: 2_000, duration: 0xFFFF))
        #expect(
            listener.take() == [
                .digit(.started(digit: 2, timestamp: 2_000)),
                .digit(.ended(digit: 2, durationSamples: 0xFFFF + 800, clockRate: 8_000)),
            ])
    }

    @Test func severalShortKeysInOnePacket() {
        let listener = established()
        var packet = RTPPacket.digit(1, sequence: 1_001, timestamp: 2_000, duration: 400, end: true)
        packet.payload += [2, 0x8A, 1, 0x90]
        listener.receive(packet)
        #expect(
            listener.take() == [
                .digit(.started(digit: 1, timestamp: 2_000)),
                .digit(.ended(digit: 1, durationSamples: 400, clockRate: 8_000)),
                .digit(.started(digit: 2, timestamp: 2_400)),
                .digit(.ended(digit: 2, durationSamples: 400, clockRate: 8_000)),
            ])
    }

    @Test func aTruncatedEventIsNothing() {
        let listener = established()
        for length in 0..<4 {
            var packet = RTPPacket.digit(1, sequence: 1_001 + length, timestamp: 2_000, duration: 400)
            packet.payload = Array(packet.payload.prefix(length))
            listener.receive(packet)
        }
        #expect(listener.take().isEmpty)
    }
}

@Suite struct TelephoneEventSenderTests {
    private struct Sent: Equatable {
        var at: Int64
        var timestamp: Int64
        var duration: Int
        var end: Bool
        var marker: Bool
        var event: UInt8
    }

    /// Lets time go by in steps and notes every key packet.
    private func run(
        _ listener: Listener, milliseconds: Int, step: Int = 1, into packets: inout [[UInt8]]
    ) -> [Sent] {
        var sent: [Sent] = []
        let start = listener.now
        for _ in 0..<(milliseconds / step) {
            while let bytes = listener.writeDigit() {
                packets.append(bytes)
                bytes.withUnsafeBytes { raw in
                    guard let view = RTPPacketView(raw), let event = TelephoneEventPayload(view.payload) else { return }
                    sent.append(
                        Sent(
                            at: (listener.now - start).nanoseconds / 1_000_000,
                            timestamp: Int64(view.timestamp &- 0xFFFF_FF00), duration: Int(event.duration),
                            end: event.end, marker: view.marker, event: event.event))
                }
            }
            listener.now = listener.now + .milliseconds(Int64(step))
        }
        return sent
    }

    @Test func firstAtOnceThenEvery20MillisecondsThenThreeEnds() {
        let listener = Listener()
        var packets: [[UInt8]] = []
        #expect(listener.startDigit(5, duration: .milliseconds(100), timestamp: 4_000))
        #expect(listener.isSendingDigit)
        #expect(listener.digitDeadline == listener.now)
        let sent = run(listener, milliseconds: 200, into: &packets)
        #expect(sent.map(\.at) == [0, 20, 40, 60, 80, 100, 120])
        #expect(sent.map(\.duration) == [160, 320, 480, 640, 800, 800, 800])
        #expect(sent.map(\.end) == [false, false, false, false, true, true, true])
        #expect(sent.map(\.marker) == [true] + [Bool](repeating: false, count: 6))
        #expect(sent.allSatisfy { $0.timestamp == 4_000 && $0.event == 5 })
        #expect(!listener.isSendingDigit)
        #expect(listener.digitDeadline == nil)
        let sequences = packets.map { UInt16($0[2]) << 8 | UInt16($0[3]) }
        #expect(sequences == (0..<7).map { 0x7FF0 + $0 })
        #expect(listener.statistics.packetsSent == 7)
    }

    @Test func soundAndKeysShareTheSequence() {
        let listener = Listener()
        #expect(listener.write(timestamp: 0)[3] == 0xF0)
        #expect(listener.startDigit(1, duration: .milliseconds(40), timestamp: 0))
        let digit = listener.writeDigit()
        #expect(digit?[3] == 0xF1)
        #expect(digit?[1] == 0xE5)
        // Asked for at a timestamp already used: it moves beyond.
        #expect(digit.map { Array($0[4..<8]) } == [0xFF, 0xFF, 0xFF, 0x01])
        #expect(listener.write(timestamp: 1_600)[3] == 0xF2)
    }

    @Test func queuedKeysAreApart() {
        let listener = Listener()
        for event in UInt8(1)...3 {
            #expect(listener.startDigit(event, duration: .milliseconds(100), timestamp: 0))
        }
        var packets: [[UInt8]] = []
        let sent = run(listener, milliseconds: 600, into: &packets)
        #expect(sent.filter(\.marker).map(\.at) == [0, 160, 320])
        #expect(sent.filter(\.marker).map(\.timestamp) == [0, 1_280, 2_560])
        #expect(sent.filter(\.end).count == 9)
    }

    @Test func longPressesAreSplit() {
        let listener = Listener(formats: .browser)
        #expect(listener.startDigit(9, duration: .milliseconds(2_000), timestamp: 0))
        var packets: [[UInt8]] = []
        let sent = run(listener, milliseconds: 2_200, into: &packets)
        #expect(sent.filter(\.end).map(\.duration) == [Int](repeating: 96_000 - 0xFFFF, count: 3))
        #expect(sent.filter { $0.duration == 0xFFFF }.map(\.end) == [false])
        #expect(Set(sent.map(\.timestamp)) == [0, 0xFFFF])
        #expect(sent.filter(\.marker).count == 1)
    }

    @Test func aLateCallerSkipsPacketsButNotTime() {
        let listener = Listener()
        #expect(listener.startDigit(5, duration: .milliseconds(200), timestamp: 0))
        var packets: [[UInt8]] = []
        let sent = run(listener, milliseconds: 400, step: 50, into: &packets)
        #expect(sent.map(\.duration) == [160, 480, 960, 1_280, 1_600, 1_600, 1_600])
        #expect(sent.map(\.at) == [0, 50, 100, 150, 200, 250, 300])
    }

    @Test func refusesWhatThePeerDoesNotTake() {
        var formats = RTPFormats.telephone
        formats.sendTelephoneEvent = nil
        let deaf = Listener(formats: formats)
        #expect(!deaf.startDigit(5, duration: .milliseconds(100), timestamp: 0))
        let listener = Listener()
        #expect(!listener.startDigit(16, duration: .milliseconds(100), timestamp: 0))
        for index in 0..<65 {
            let taken = listener.startDigit(1, duration: .milliseconds(100), timestamp: 0)
            #expect(taken == (index < TelephoneEventSender.queueLimit))
        }
        listener.session.renegotiate(formats)
        #expect(!listener.isSendingDigit)
    }

    /// What one session sends, another understands, whatever happens to a third of the packets.
    @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6, 7, 8], [RTPFormats.telephone, .browser])
    func isUnderstoodOverABadNetwork(seed: UInt64, formats: RTPFormats) {
        let sender = Listener(formats: formats)
        let receiver = Listener(formats: formats)
        var network = LossyNetwork<[UInt8]>(seed: seed)
        network.loss = .independent(0.25)
        network.duplication = 0.1
        network.delay = .milliseconds(30)
        let clock = formats.sendAudio.clockRate
        let digits: [UInt8] = [1, 1, 2, 11, 15, 0, 0, 9]
        var timestamp: Int64 = 0
        for (index, digit) in digits.enumerated() {
            let length = Int64(index == 2 ? 2_500 : 160)
            #expect(
                sender.startDigit(
                    digit, duration: .milliseconds(length), timestamp: timestamp))
        }
        for millisecond in 0..<6_000 {
            if millisecond % 20 == 0 {
                if !sender.isSendingDigit { network.send(sender.write(timestamp: timestamp), now: sender.now) }
                timestamp += Int64(clock / 50)
            }
            while let packet = sender.writeDigit() { network.send(packet, now: sender.now) }
            sender.now = sender.now + .milliseconds(1)
            receiver.advance(milliseconds: 1)
            while let arrival = network.receive(now: receiver.now) { receiver.receive(arrival.datagram) }
        }
        var started: [UInt8] = []
        var ended: [UInt8] = []
        for case .digit(let event) in receiver.take() {
            switch event {
            case .started(let digit, _): started.append(digit)
            case .ended(let digit, _, let rate):
                ended.append(digit)
                #expect(rate == clock)
            }
        }
        #expect(started == digits)
        #expect(ended == digits)
    }
}
