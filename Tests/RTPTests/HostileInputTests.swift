import NIOCore
import TestKit
import Testing

@testable import RTP

/// Bytes from the network never trap, whatever they are, and never leave a session unable to go on.
@Suite struct HostileInputTests {
    /// Changes a packet as an attacker or a broken line would.
    private func mutate(_ packet: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = packet
        for _ in 0...Int.random(in: 0..<4, using: &generator) {
            guard !bytes.isEmpty else { break }
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: bytes[index] = UInt8.random(in: .min ... .max, using: &generator)
            case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 2: bytes.removeSubrange(index...)
            case 3: bytes.insert(0xFF, at: index)
            case 4: bytes[index] = [0, 0xFF, 0x7F, 0x80].randomElement(using: &generator) ?? 0
            default: bytes += (0..<8).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            }
        }
        return bytes
    }

    @Test(arguments: [RTPFormats.telephone, .browser])
    func mutatedPackets(formats: RTPFormats) {
        var generator = SeededGenerator(seed: 20_000)
        let listener = Listener(formats: formats)
        let audio = formats.receiveAudio[0].payloadType
        for index in 0..<20_000 {
            var packet = RTPPacket.voice(index)
            packet.payloadType = audio
            if index % 3 == 0 {
                packet = .digit(UInt8(index % 16), sequence: 1_000 + index, timestamp: packet.timestamp, duration: 160)
                packet.payloadType = formats.receiveTelephoneEvents[0].payloadType
            }
            listener.receive(index % 7 == 0 ? packet.bytes : mutate(packet.bytes, &generator))
            listener.advance(milliseconds: Double(index % 30))
        }
        let statistics = listener.statistics
        #expect(statistics.malformed > 100)
        #expect(statistics.discarded > 100)
        #expect(statistics.packetsReceived > 1_000)
        // It still works.
        _ = listener.take()
        for index in 0..<3 {
            listener.receive(RTPPacket(payloadType: audio, sequence: UInt16(index), timestamp: 0, ssrc: 42))
        }
        #expect(listener.remoteSSRC == 42)
    }

    @Test func mutatedControlPackets() throws {
        var generator = SeededGenerator(seed: 20_001)
        let listener = Listener()
        listener.receive(.voice(0))
        _ = listener.write(timestamp: 0)
        let goodbye = try #require(listener.writeGoodbye())
        let extended: [UInt8] = [
            0x80, 207, 0, 5, 0xBB, 0xBB, 0, 1, 5, 0, 0, 3, 0xAA, 0xAA, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1,
        ]
        let feedback: [UInt8] = [0x81, 206, 0, 2, 0xBB, 0xBB, 0, 1, 0xAA, 0xAA, 0, 1]
        for index in 0..<20_000 {
            listener.receiveControl(mutate(index % 2 == 0 ? goodbye : extended + feedback, &generator))
            listener.advance(milliseconds: 1)
            if index % 100 == 0 {
                listener.now = max(listener.now, listener.reportDeadline)
                #expect(listener.writeControl() != nil)
            }
        }
        #expect(listener.statistics.controlMalformed > 1_000)
        #expect(listener.statistics.controlReceived > 1_000)
    }

    @Test(arguments: SRTPProfile.allCases)
    func mutatedProtectedPackets(_ profile: SRTPProfile) throws {
        var generator = SeededGenerator(seed: 20_002)
        let key = [UInt8](repeating: 5, count: profile.keyLength + profile.saltLength)
        let context = try #require(SRTPContext(profile: profile, sendKey: key, receiveKey: key))
        var accepted = 0
        for index in 0..<20_000 {
            let plain = RTPPacket.voice(index).bytes
            var bytes = plain + [UInt8](repeating: 0, count: 32)
            let length = bytes.withUnsafeMutableBytes { buffer in
                buffer.baseAddress.flatMap { context.protect($0, length: plain.count, capacity: buffer.count) }
            }
            let wire = Array(bytes[..<(try #require(length))])
            var forged = mutate(wire, &generator)
            guard forged != wire, !forged.isEmpty else { continue }
            forged.withUnsafeMutableBytes { buffer in
                guard let base = buffer.baseAddress else { return }
                if context.unprotect(base, length: buffer.count) != nil { accepted += 1 }
                if context.unprotectControl(base, length: buffer.count) != nil { accepted += 1 }
            }
        }
        #expect(accepted == 0)
    }

    /// A sender whose every packet leaps, as far as 32 bits can say it: what is made of its timestamps must not leave 64 bits.
    @Test(arguments: [0x7FFF_FFFF, 0x8000_0001]) func timestampsThatLeapFarEveryTimeBeginAnew(_ step: Int) {
        let listener = Listener()
        var farthest: UInt64 = 0
        for index in 0..<20_000 {
            listener.receive(.voice(index, step: step))
            for case .frame(_, let timestamp, _) in listener.take() { farthest = max(farthest, timestamp.magnitude) }
        }
        #expect(farthest > 1 << 40 && farthest <= 1 << 45)
        #expect(listener.statistics.packetsReceived == 20_000)
        // It still works.
        for index in 20_000..<20_003 { listener.receive(.voice(index, step: step)) }
        #expect(listener.take().count >= 3)
    }

    @Test func hostileFormatsAreIgnored() {
        var formats = RTPFormats.telephone
        formats.receiveAudio += [
            RTPFormat(payloadType: 200, clockRate: 8_000), RTPFormat(payloadType: 97, clockRate: 0),
            RTPFormat(payloadType: 98, clockRate: -5), RTPFormat(payloadType: 99, clockRate: .max),
        ]
        formats.sendTelephoneEvent = RTPFormat(payloadType: 101, clockRate: 0)
        formats.packetMilliseconds = .max
        formats.sendAudio.clockRate = .max
        let listener = Listener(formats: formats)
        for payloadType in UInt8(97)...99 {
            listener.receive(RTPPacket(payloadType: payloadType, sequence: 1, timestamp: 0))
        }
        #expect(listener.statistics.unknownPayload == 3)
        #expect(!listener.startDigit(1, duration: .milliseconds(100), timestamp: 0))
        _ = listener.write(timestamp: 0)
        listener.now = listener.reportDeadline
        #expect(listener.writeControl() != nil)
    }
}
