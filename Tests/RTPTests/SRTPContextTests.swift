import Glibc
import TestKit
import Testing

@testable import RTP

@Suite struct SRTPContextTests {
    private static let room = 64

    private func key(_ profile: SRTPProfile, seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return (0..<profile.keyLength + profile.saltLength).map { _ in
            UInt8.random(in: .min ... .max, using: &generator)
        }
    }

    private func pair(_ profile: SRTPProfile) throws -> (SRTPContext, SRTPContext) {
        let one = key(profile, seed: 1)
        let other = key(profile, seed: 2)
        return (
            try #require(SRTPContext(profile: profile, sendKey: one, receiveKey: other)),
            try #require(SRTPContext(profile: profile, sendKey: other, receiveKey: one))
        )
    }

    /// Over three ends of the sequence numbers, so that the rollover counter counts, with losses at them.
    @Test(arguments: SRTPProfile.allCases)
    func twoHundredThousandPackets(_ profile: SRTPProfile) throws {
        let (sender, receiver) = try pair(profile)
        var failures = 0
        var plain = RTPPacket(sequence: 0, timestamp: 0, payload: [UInt8](repeating: 7, count: 160)).bytes
        var wire = [UInt8](repeating: 0, count: plain.count + Self.room)
        var generator = SeededGenerator(seed: 9)
        for index in 0..<200_000 {
            let sequence = UInt16(truncatingIfNeeded: 60_000 + index)
            let isLost = generator.happens(0.02)
            plain.withUnsafeMutableBytes { plain in
                plain.storeBytes(of: sequence.bigEndian, toByteOffset: 2, as: UInt16.self)
                plain.storeBytes(of: UInt32(index * 160).bigEndian, toByteOffset: 4, as: UInt32.self)
                plain.storeBytes(of: UInt32(index), toByteOffset: 12, as: UInt32.self)
                wire.withUnsafeMutableBytes { wire in
                    guard let clear = plain.baseAddress, let base = wire.baseAddress else { return failures += 1 }
                    memcpy(base, clear, plain.count)
                    let length = sender.protect(base, length: plain.count, capacity: wire.count)
                    guard length == plain.count + profile.packetOverhead,
                        memcmp(base + 12, clear + 12, plain.count - 12) != 0
                    else { return failures += 1 }
                    if isLost { return }
                    guard receiver.unprotect(base, length: plain.count + profile.packetOverhead) == plain.count,
                        memcmp(base, clear, plain.count) == 0
                    else { return failures += 1 }
                }
            }
        }
        #expect(failures == 0)
    }

    @Test(arguments: SRTPProfile.allCases)
    func aReplayIsRefused(_ profile: SRTPProfile) throws {
        let (sender, receiver) = try pair(profile)
        let first = try #require(sender.seal(RTPPacket.voice(0).bytes))
        #expect(receiver.open(first) == RTPPacket.voice(0).bytes)
        #expect(receiver.open(first) == nil)
        for index in 1..<300 {
            let packet = try #require(sender.seal(RTPPacket.voice(index).bytes))
            if index != 200 { #expect(receiver.open(packet) != nil) }
        }
        #expect(receiver.open(first) == nil)
    }

    @Test(arguments: SRTPProfile.allCases)
    func latePacketsAreNoReplay(_ profile: SRTPProfile) throws {
        let (sender, receiver) = try pair(profile)
        let packets = try (0..<1_000).map { try #require(sender.seal(RTPPacket.voice($0).bytes)) }
        for packet in packets.reversed() { #expect(receiver.open(packet) != nil) }
    }

    @Test(arguments: SRTPProfile.allCases)
    func aForgedByteAnywhereIsRefused(_ profile: SRTPProfile) throws {
        let (sender, receiver) = try pair(profile)
        let packet = try #require(sender.seal(RTPPacket.voice(0).bytes))
        for index in packet.indices {
            var forged = packet
            forged[index] ^= 0x01
            #expect(receiver.open(forged) == nil, "byte \(index)")
        }
        for length in 0..<packet.count { #expect(receiver.open(Array(packet.prefix(length))) == nil) }
        #expect(receiver.open(packet) == RTPPacket.voice(0).bytes)
    }

    @Test(arguments: SRTPProfile.allCases)
    func theWrongKeyOpensNothing(_ profile: SRTPProfile) throws {
        let (sender, _) = try pair(profile)
        let other = try #require(
            SRTPContext(profile: profile, sendKey: key(profile, seed: 3), receiveKey: key(profile, seed: 4)))
        let packet = try #require(sender.seal(RTPPacket.voice(0).bytes))
        #expect(other.open(packet) == nil)
    }

    @Test(arguments: SRTPProfile.allCases)
    func aSequenceNumberIsUsedOnce(_ profile: SRTPProfile) throws {
        let (sender, _) = try pair(profile)
        #expect(sender.seal(RTPPacket.voice(0).bytes) != nil)
        #expect(sender.seal(RTPPacket.voice(0).bytes) == nil)
        #expect(sender.seal(RTPPacket.voice(1).bytes) != nil)
    }

    @Test(arguments: SRTPProfile.allCases)
    func controlPackets(_ profile: SRTPProfile) throws {
        let (sender, receiver) = try pair(profile)
        let listener = Listener()
        listener.now = listener.reportDeadline
        let report = try #require(listener.writeControl())
        let packet = try #require(sender.seal(report, isControl: true))
        #expect(packet.count == report.count + profile.controlOverhead)
        for index in packet.indices {
            var forged = packet
            forged[index] ^= 0x80
            #expect(receiver.open(forged, isControl: true) == nil, "byte \(index)")
        }
        for length in 0..<packet.count {
            #expect(receiver.open(Array(packet.prefix(length)), isControl: true) == nil)
        }
        #expect(receiver.open(packet, isControl: true) == report)
        #expect(receiver.open(packet, isControl: true) == nil)
    }

    @Test(arguments: SRTPProfile.allCases)
    func neverWritesBeyondItsRoom(_ profile: SRTPProfile) throws {
        let (sender, _) = try pair(profile)
        let packet = RTPPacket.voice(0).bytes
        var bytes = packet + [UInt8](repeating: 0xEE, count: Self.room)
        bytes.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            let room = packet.count + profile.packetOverhead
            #expect(sender.protect(base, length: packet.count, capacity: room - 1) == nil)
            #expect(buffer.prefix(packet.count).elementsEqual(packet))
            #expect(sender.protect(base, length: packet.count, capacity: room) == room)
            #expect(buffer[room...].allSatisfy { $0 == 0xEE })
        }
    }

    @Test func aPeerCannotOpenStreamsWithoutEnd() throws {
        let (sender, receiver) = try pair(.aeadAES128GCM)
        var accepted = 0
        for ssrc in UInt32(1)...100 {
            let packet = try #require(sender.seal(RTPPacket.voice(0, ssrc: ssrc).bytes))
            if receiver.open(packet) != nil { accepted += 1 }
        }
        #expect(accepted == 64)
        let packet = try #require(sender.seal(RTPPacket.voice(1, ssrc: 64).bytes))
        #expect(receiver.open(packet) != nil)
    }

    @Test func keysMustFit() {
        for profile in SRTPProfile.allCases {
            let good = key(profile, seed: 1)
            #expect(SRTPContext(profile: profile, sendKey: good, receiveKey: good + [0]) == nil)
            #expect(SRTPContext(profile: profile, sendKey: Array(good.dropLast()), receiveKey: good) == nil)
        }
    }

    @Test func namesOfSDES() {
        #expect(SRTPProfile(sdesName: "aes_cm_128_hmac_sha1_80") == .aesCM128HMACSHA1_80)
        #expect(SRTPProfile(sdesName: "AEAD_AES_128_GCM") == .aeadAES128GCM)
        #expect(SRTPProfile(sdesName: "AES_CM_128_HMAC_SHA1_32") == nil)
    }
}
