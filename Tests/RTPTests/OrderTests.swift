import NIOCore
import Testing

@testable import RTP

@Suite struct OrderTests {
    @Test func passesOnWhatIsInOrderAtOnce() {
        let listener = Listener()
        for index in 0..<5 { listener.receive(.voice(index)) }
        #expect(listener.take() == (0..<5).map { .voice($0, new: $0 == 0) })
        #expect(listener.deadline == nil)
        #expect(listener.remoteSSRC == 0xBBBB_0001)
    }

    @Test func givesUpALossAtOnceWhileAllCameInOrder() {
        let listener = Listener()
        for index in [0, 1, 2, 4, 5] { listener.receive(.voice(index)) }
        #expect(
            listener.take() == [
                .voice(0, new: true), .voice(1), .voice(2),
                .lost(count: 1, timestamp: 1_000 + 3 * 160, step: 160, next: [0, 4]), .voice(4), .voice(5),
            ])
        #expect(listener.statistics.lost == 1)
        #expect(listener.statistics.recoverable == 1)
    }

    @Test func saysHowManyAreLost() {
        let listener = Listener()
        for index in [0, 1, 7] { listener.receive(.voice(index)) }
        #expect(
            listener.take().suffix(2) == [
                .lost(count: 5, timestamp: 1_000 + 2 * 160, step: 160, next: [0, 7]), .voice(7),
            ])
        #expect(listener.statistics.concealable == 5)
        #expect(listener.statistics.recoverable == 1)
    }

    @Test func takesTheStepFromTheHoleWhenNothingIsMeasuredYet() {
        let listener = Listener()
        for index in [0, 3] { listener.receive(.voice(index, step: 240)) }
        #expect(listener.take().dropFirst().first == .lost(count: 2, timestamp: 1_240, step: 240, next: [0, 3]))
    }

    @Test func dropsWhatComesAfterItWasGivenUp() {
        let listener = Listener()
        for index in [0, 1, 3] { listener.receive(.voice(index)) }
        _ = listener.take()
        listener.receive(.voice(2))
        #expect(listener.take().isEmpty)
        #expect(listener.statistics.late == 1)
        #expect(listener.statistics.lost == 0)
        listener.receive(.voice(2))
        listener.receive(.voice(3))
        #expect(listener.take().isEmpty)
        #expect(listener.statistics.late == 1)
        #expect(listener.statistics.duplicates == 2)
    }

    @Test func silenceSuppressionIsNoLoss() {
        let listener = Listener()
        listener.receive(RTPPacket(sequence: 1, timestamp: 0))
        listener.receive(RTPPacket(sequence: 2, timestamp: 160))
        listener.receive(RTPPacket(sequence: 3, timestamp: 160 + 40_000))
        #expect(
            listener.take() == [
                .frame(sequence: 1, timestamp: 0, new: true), .frame(sequence: 2, timestamp: 160, new: false),
                .frame(sequence: 3, timestamp: 40_160, new: false),
            ])
    }

    @Test func aLossWithinSilenceHasNoSuccessorToRecoverFrom() {
        let listener = Listener()
        listener.receive(RTPPacket(sequence: 1, timestamp: 0))
        listener.receive(RTPPacket(sequence: 2, timestamp: 160))
        listener.receive(RTPPacket(sequence: 4, timestamp: 160 + 3_200))
        #expect(listener.take().dropFirst(2).first == .lost(count: 1, timestamp: 320, step: 160, next: nil))
        #expect(listener.statistics.recoverable == 0)
    }

    @Test func moreThanTwoSecondsAreAGap() {
        let listener = Listener()
        for index in [0, 1, 100, 201] { listener.receive(.voice(index)) }
        #expect(
            listener.take().suffix(4) == [
                .lost(count: 98, timestamp: 1_320, step: 160, next: [0, 100]), .voice(100),
                .gap(StreamGap(reason: .jump, lostPackets: 100)), .voice(201),
            ])
    }

    @Test func goesOnOverTheEndsOfSequenceAndTimestamp() {
        let listener = Listener()
        var expected: [Heard] = []
        for index in 0..<200_000 {
            let packet = RTPPacket(
                sequence: UInt16(truncatingIfNeeded: 65_000 + index),
                timestamp: UInt32(truncatingIfNeeded: 4_294_000_000 + index * 160))
            listener.receive(packet)
            if index % 1_000 == 999 {
                expected.append(
                    .frame(
                        sequence: 65_000 + Int64(index), timestamp: 4_294_000_000 + Int64(index) * 160, new: false))
                #expect(listener.take().last == expected.last)
            }
        }
        #expect(listener.statistics.packetsReceived == 200_000)
        #expect(listener.statistics.lost == 0)
    }

    @Test func aFarJumpNeedsASecondPacket() {
        let listener = Listener()
        for index in 0..<3 { listener.receive(.voice(index)) }
        _ = listener.take()
        listener.receive(.voice(20_000))
        #expect(listener.take().isEmpty)
        listener.receive(.voice(3))
        #expect(listener.take() == [.voice(3)])
        listener.receive(.voice(30_000))
        listener.receive(.voice(30_001))
        #expect(
            listener.take() == [
                .gap(StreamGap(reason: .restart, lostPackets: 0)), .voice(30_001),
            ])
        #expect(listener.statistics.discarded == 2)
        #expect(listener.statistics.lost == 0)
        listener.receive(.voice(30_003))
        #expect(listener.take().count == 2)
        #expect(listener.statistics.lost == 1)
    }

    @Test func unknownPayloadTypesHaveTheirPlaceInTheSequence() {
        let listener = Listener()
        listener.receive(RTPPacket(payloadType: 96, sequence: 5, timestamp: 0))
        #expect(listener.remoteSSRC == nil)
        listener.receive(.voice(0))
        var strange = RTPPacket.voice(1)
        strange.payloadType = 96
        listener.receive(strange)
        listener.receive(.voice(2))
        #expect(listener.take() == [.voice(0, new: true), .voice(2)])
        #expect(listener.statistics.unknownPayload == 2)
        #expect(listener.statistics.lost == 0)
    }

    @Test func comfortNoiseIsToldAndKeepsItsPlace() {
        let listener = Listener()
        listener.receive(.voice(0))
        listener.receive(RTPPacket(payloadType: 13, sequence: 1_001, timestamp: 1_160, payload: [0x80 | 62, 1, 2]))
        listener.receive(RTPPacket(payloadType: 13, sequence: 1_002, timestamp: 2_760, payload: []))
        listener.receive(RTPPacket(sequence: 1_003, timestamp: 9_160))
        #expect(listener.take() == [.voice(0, new: true), .comfortNoise(62), .frame(sequence: 1_003, timestamp: 9_160, new: false)])
        #expect(listener.statistics.lost == 0 && listener.statistics.unknownPayload == 0)
    }

    /// Beside Opus alone it has no clock, and a number given to a codec is that codec's.
    @Test func comfortNoiseNeedsItsClockAndItsNumber() {
        let browser = Listener(formats: .browser)
        browser.receive(RTPPacket(payloadType: 13, sequence: 1, timestamp: 0))
        #expect(browser.take().isEmpty)
        var formats = RTPFormats.telephone
        formats.receiveAudio = [RTPFormat(payloadType: 13, clockRate: 8_000)]
        let listener = Listener(formats: formats)
        listener.receive(RTPPacket(payloadType: 13, sequence: 1, timestamp: 0))
        #expect(listener.take() == [.frame(sequence: 1, timestamp: 0, new: true)])
    }

    @Test(arguments: [(160, false), (960, false), (970, true), (80_000, true)]) func aClockSetBackIsAGap(_ units: Int, _ isGap: Bool) {
        let listener = Listener()
        for index in 0..<600 { listener.receive(.voice(index)) }
        _ = listener.take()
        let timestamp = 1_000 + 599 * 160 - units
        listener.receive(RTPPacket(sequence: 1_600, timestamp: UInt32(timestamp)))
        let frame = Heard.frame(sequence: 1_600, timestamp: Int64(timestamp), new: false)
        #expect(listener.take() == (isGap ? [.gap(StreamGap(reason: .jump, lostPackets: 0)), frame] : [frame]))
    }

    @Test func lostKeyPacketsAreNoLostSound() {
        let listener = Listener()
        listener.receive(.voice(0))
        listener.receive(.voice(1))
        // Packets 2 to 6 were telephone-events that all said timestamp 1320; sound goes on after 20 ms of it.
        listener.receive(RTPPacket(sequence: 1_007, timestamp: 1_320))
        #expect(listener.take().last == .frame(sequence: 1_007, timestamp: 1_320, new: false))
        #expect(!listener.take().contains { if case .lost = $0 { true } else { false } })
        #expect(listener.statistics.lost == 5)
    }

    @Test func anotherClockIsAGap() {
        var formats = RTPFormats.telephone
        formats.receiveAudio.append(RTPFormat(payloadType: 111, clockRate: 48_000))
        let listener = Listener(formats: formats)
        listener.receive(.voice(0))
        listener.receive(RTPPacket(payloadType: 111, sequence: 1_001, timestamp: 5_000))
        listener.receive(RTPPacket(payloadType: 111, sequence: 1_002, timestamp: 5_960))
        listener.receive(RTPPacket(payloadType: 111, sequence: 1_004, timestamp: 5_960 + 1_920))
        let heard = listener.take()
        #expect(heard[1] == .gap(StreamGap(reason: .clockChange, lostPackets: 0)))
        #expect(heard[4] == .lost(count: 1, timestamp: 6_920, step: 960, next: [0x55]))
    }

    @Test func renegotiationChangesWhatIsUnderstood() {
        let listener = Listener()
        listener.receive(.voice(0))
        listener.session.renegotiate(.browser)
        listener.receive(.voice(1))
        listener.receive(RTPPacket(payloadType: 111, sequence: 1_002, timestamp: 5_000))
        #expect(listener.statistics.unknownPayload == 1)
        #expect(listener.take().last == .frame(sequence: 1_002, timestamp: 5_000, new: false))
    }
}
