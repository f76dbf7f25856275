import TestKit
import Testing

@testable import RTP

/// `SRTPContext` does with every packet what libsrtp2 does with it: the same bytes, or the same refusal.
@Suite struct SRTPReferenceTests {
    /// Ours and libsrtp2 as the two ends of one session.
    private struct Pair {
        let ours: SRTPContext
        let reference: SRTPReference
        /// The peer of both.
        let far: SRTPContext

        init(_ profile: SRTPProfile, seed: UInt64) throws {
            var generator = SeededGenerator(seed: seed)
            let keys = (0..<2).map { _ in Self.bytes(profile.keyLength + profile.saltLength, &generator) }
            ours = try #require(SRTPContext(profile: profile, sendKey: keys[0], receiveKey: keys[1]))
            reference = try #require(SRTPReference(profile: profile, sendKey: keys[0], receiveKey: keys[1]))
            far = try #require(SRTPContext(profile: profile, sendKey: keys[1], receiveKey: keys[0]))
        }

        static func bytes(_ count: Int, _ generator: inout SeededGenerator) -> [UInt8] {
            (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        }
    }

    /// Contributing sources, header extension and a payload, each of any length, none among them.
    private static func packet(ssrc: UInt32, sequence: UInt16, _ generator: inout SeededGenerator) -> [UInt8] {
        let sources = generator.happens(0.2) ? Int.random(in: 0...15, using: &generator) : 0
        let isExtended = generator.happens(0.3)
        var bytes: [UInt8] = [0x80 | UInt8(sources) | (isExtended ? 0x10 : 0), 96]
        bytes += [UInt8(sequence >> 8), UInt8(truncatingIfNeeded: sequence)] + Pair.bytes(4, &generator)
        bytes += withUnsafeBytes(of: ssrc.bigEndian) { Array($0) } + Pair.bytes(sources * 4, &generator)
        if isExtended {
            let words = Int.random(in: 0...6, using: &generator)
            bytes += [0xBE, 0xDE, 0, UInt8(words)] + Pair.bytes(words * 4, &generator)
        }
        return bytes + Pair.bytes(Int.random(in: 0...200, using: &generator), &generator)
    }

    private static func report(ssrc: UInt32, _ generator: inout SeededGenerator) -> [UInt8] {
        [0x80, 200, 0, 6] + withUnsafeBytes(of: ssrc.bigEndian) { Array($0) }
            + Pair.bytes(4 * Int.random(in: 0...20, using: &generator), &generator)
    }

    /// Sequence numbers that mostly follow each other, and now and then repeat, go back, or leap over half a round.
    private static func step(_ sequence: UInt16, _ generator: inout SeededGenerator) -> UInt16 {
        switch generator.unit() {
        case ..<0.80: sequence &+ 1
        case ..<0.84: sequence
        case ..<0.88: sequence &- UInt16.random(in: 1...1_200, using: &generator)
        case ..<0.998: sequence &+ UInt16.random(in: 1...2_000, using: &generator)
        case ..<0.9995: sequence &+ UInt16.random(in: 30_000...34_000, using: &generator)
        default: UInt16.random(in: .min ... .max, using: &generator)
        }
    }

    @Test(arguments: SRTPProfile.allCases)
    func sealsAlike(_ profile: SRTPProfile) throws {
        var generator = SeededGenerator(seed: 31)
        let pair = try Pair(profile, seed: 1)
        var sequences = [UInt16](repeating: 65_000, count: 5)
        var refused = 0
        for index in 0..<6_000 {
            let stream = Int.random(in: 0..<sequences.count, using: &generator)
            sequences[stream] = Self.step(sequences[stream], &generator)
            let packet = Self.packet(ssrc: 100 + UInt32(stream), sequence: sequences[stream], &generator)
            let sealed = pair.ours.seal(packet, isControl: false)
            #expect(sealed == pair.reference.seal(packet, isControl: false), "packet \(index): \(packet)")
            if sealed == nil { refused += 1 }
        }
        #expect((100..<4_000).contains(refused))
    }

    /// Lost, late, repeated, forged and cut packets of several streams, over many rounds of the sequence numbers.
    @Test(arguments: SRTPProfile.allCases)
    func opensAlike(_ profile: SRTPProfile) throws {
        var generator = SeededGenerator(seed: 32)
        let pair = try Pair(profile, seed: 2)
        var sequences = [UInt16](repeating: 65_300, count: 4)
        var kept: [[UInt8]] = []
        var opened = 0
        for index in 0..<12_000 {
            let stream = Int.random(in: 0..<sequences.count, using: &generator)
            sequences[stream] = Self.step(sequences[stream], &generator)
            let packet = Self.packet(ssrc: 7_000 + UInt32(stream), sequence: sequences[stream], &generator)
            guard let sealed = pair.far.seal(packet, isControl: false) else { continue }
            kept.append(sealed)
            guard !generator.happens(0.1) else { continue }
            var arriving = [sealed]
            if generator.happens(0.2), let old = kept.suffix(1_500).randomElement(using: &generator) { arriving.append(old) }
            if generator.happens(0.3) { arriving.insert(Self.forge(sealed, &generator), at: 0) }
            for datagram in arriving {
                let ours = pair.ours.open(datagram, isControl: false)
                #expect(ours == pair.reference.open(datagram, isControl: false), "packet \(index): \(datagram)")
                if ours != nil { opened += 1 }
            }
        }
        #expect(opened > 5_000)
    }

    @Test(arguments: SRTPProfile.allCases)
    func controlAlike(_ profile: SRTPProfile) throws {
        var generator = SeededGenerator(seed: 33)
        let pair = try Pair(profile, seed: 3)
        var kept: [[UInt8]] = []
        var opened = 0
        for index in 0..<3_000 {
            let ssrc = 50 + UInt32.random(in: 0..<3, using: &generator)
            let report = Self.report(ssrc: ssrc, &generator)
            let sealed = try #require(pair.ours.seal(report, isControl: true))
            #expect(sealed == pair.reference.seal(report, isControl: true), "report \(index)")
            let coming = try #require(pair.far.seal(report, isControl: true))
            kept.append(coming)
            var arriving = generator.happens(0.2) ? [] : [coming]
            if generator.happens(0.3), let old = kept.suffix(600).randomElement(using: &generator) { arriving.append(old) }
            if generator.happens(0.4) { arriving.insert(Self.forge(coming, &generator), at: 0) }
            for datagram in arriving {
                let ours = pair.ours.open(datagram, isControl: true)
                #expect(ours == pair.reference.open(datagram, isControl: true), "report \(index): \(datagram)")
                if ours != nil { opened += 1 }
            }
        }
        #expect(opened > 2_000)
    }

    /// As many streams as a peer may open, in any order, audio and reports.
    @Test(arguments: SRTPProfile.allCases)
    func manyStreamsAlike(_ profile: SRTPProfile) throws {
        var generator = SeededGenerator(seed: 34)
        let pair = try Pair(profile, seed: 4)
        var sequences = [UInt16](repeating: 65_530, count: 64)
        for index in 0..<4_000 {
            let stream = Int.random(in: 0..<sequences.count, using: &generator)
            sequences[stream] &+= 1
            let isControl = generator.happens(0.2)
            let packet = isControl
                ? Self.report(ssrc: UInt32(stream), &generator)
                : Self.packet(ssrc: UInt32(stream), sequence: sequences[stream], &generator)
            let sealed = try #require(pair.far.seal(packet, isControl: isControl))
            #expect(pair.ours.open(sealed, isControl: isControl) == packet, "packet \(index)")
            #expect(pair.reference.open(sealed, isControl: isControl) == packet, "packet \(index)")
        }
    }

    /// Bytes changed, added or cut away anywhere; the head and the tag more often than chance would.
    private static func forge(_ packet: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = packet
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: bytes = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &generator)))
        case 1: bytes += Pair.bytes(Int.random(in: 1...20, using: &generator), &generator)
        case 2: bytes[Int.random(in: 0..<min(16, bytes.count), using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 3: bytes[bytes.count - 1 - Int.random(in: 0..<min(20, bytes.count), using: &generator)] ^= 0x10
        default: bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: .min ... .max, using: &generator)
        }
        return bytes
    }

    /// RFC 3711 appendix B.3.
    @Test func keysAreDerivedAsTheStandardShows() {
        let master: [UInt8] = [
            0xE1, 0xF9, 0x7A, 0x0D, 0x3E, 0x01, 0x8B, 0xE0, 0xD6, 0x4F, 0xA3, 0x2C, 0x06, 0xDE, 0x41, 0x39,
            0x0E, 0xC6, 0x75, 0xAD, 0x49, 0x8A, 0xFE, 0xEB, 0xB6, 0x96, 0x0B, 0x3A, 0xAB, 0xE6,
        ]
        let keys = SessionKeys(master: master)
        #expect(
            keys.derive(.encryption, count: 16)
                == [0xC6, 0x1E, 0x7A, 0x93, 0x74, 0x4F, 0x39, 0xEE, 0x10, 0x73, 0x4A, 0xFE, 0x3F, 0xF7, 0xA0, 0x87])
        #expect(
            keys.derive(.salt, count: 14)
                == [0x30, 0xCB, 0xBC, 0x08, 0x86, 0x3D, 0x8C, 0x85, 0xD4, 0x9D, 0xB3, 0x4A, 0x9A, 0xE1])
        #expect(
            keys.derive(.authentication, count: 8) == [0xCE, 0xBE, 0x32, 0x1F, 0x6F, 0xF7, 0x71, 0x6B])
    }
}
