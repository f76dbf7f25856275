import CSpandsp
import TestKit
import Testing
import Transcode

@Suite("G.711")
struct G711Tests {
    @Test("Every byte decodes as spandsp decodes it")
    func decode() {
        let bytes = (0...255).map { UInt8($0) }
        #expect(G711Decoder(law: .mu).decode(bytes) == bytes.map { ulaw_to_linear($0) })
        #expect(G711Decoder(law: .a).decode(bytes) == bytes.map { alaw_to_linear($0) })
    }

    @Test("Every sample encodes as spandsp encodes it")
    func encode() {
        let samples = (Int(Int16.min)...Int(Int16.max)).map { Int16($0) }
        #expect(encoded(samples, .mu) == samples.map { linear_to_ulaw(Int32($0)) })
        #expect(encoded(samples, .a) == samples.map { linear_to_alaw(Int32($0)) })
    }

    @Test("A decoded byte encodes to itself")
    func idempotent() {
        for law in [G711.Law.mu, .a] {
            let bytes = (0...255).map { UInt8($0) }
            let samples = filled(256) { output in bytes.withUnsafeBytes { G711.decode($0, into: output, law: law) } }
            let again = filled(256) { output in
                encoded(samples, law).withUnsafeBytes { G711.decode($0, into: output, law: law) }
            }
            #expect(again == samples)
            #expect(abs(Int(filled(1) { output in [law.silence].withUnsafeBytes { G711.decode($0, into: output, law: law) } }[0])) <= 8)
        }
    }

    @Test("Nothing is written past a short buffer")
    func shortBuffers() {
        let payload = [UInt8](repeating: 0x55, count: 160)
        #expect(filled(100) { output in payload.withUnsafeBytes { G711.decode($0, into: output, law: .a) } }.count == 100)
        let decoder = G711Decoder(law: .mu)
        #expect(decoder.decode([]).isEmpty)
        #expect(decoder.decode([UInt8](repeating: 0, count: 961)).isEmpty)
        #expect(decoder.decode([UInt8](repeating: 0, count: 960)).count == 960)
        #expect(decoder.recover(from: payload, samples: 160) == nil)
    }

    @Test("A lost frame of a voice is mostly restored, a long loss fades to silence, and the return has no click")
    func concealment() {
        let speech = SoundMaterial.tone(hertz: 160, seconds: 0.4, rate: 8000, level: -18)
        let decoder = G711Decoder(law: .mu)
        let frames = encoded(speech, .mu).chunks(of: 160)
        var heard: [Int16] = []
        for (index, frame) in frames.enumerated() {
            heard += index == 10 ? decoder.conceal(samples: 160) : decoder.decode(frame)
        }
        let lost = 1600..<1760
        let error = Array(heard[lost]).difference(to: Array(speech[lost]))
        let silence = [Int16](repeating: 0, count: 160).difference(to: Array(speech[lost]))
        #expect(error < 0.5 * silence, "error \(error), of silence \(silence)")
        let jumps = zip(heard, heard.dropFirst()).map { abs(Int($0) - Int($1)) }.max() ?? 0
        // The tone itself moves by 730 a sample at most; a seam without blending would show up to 5800.
        #expect(jumps < 2 * 730)

        var tail: [Int16] = []
        for _ in 0..<4 { tail = decoder.conceal(samples: 160) }
        #expect(tail.allSatisfy { $0 == 0 })
        #expect(decoder.conceal(samples: 160).count == 160)
        for _ in 0..<200 { _ = decoder.conceal(samples: 480) }
        decoder.reset()
        #expect(decoder.conceal(samples: 160).allSatisfy { $0 == 0 })
    }

    private func encoded(_ samples: [Int16], _ law: G711.Law) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: samples.count) { output, count in
            count = samples.withUnsafeBufferPointer { G711.encode($0, into: UnsafeMutableRawBufferPointer(output), law: law) }
        }
    }
}
