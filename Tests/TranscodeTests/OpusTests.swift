import TestKit
import Testing
import Transcode

@Suite("Opus")
struct OpusTests {
    /// 440 Hz at -15.26 dBFS on both channels, 12 frames of 20 ms: hybrid, then SILK (made by libopus 1.3.1, forced to stereo).
    static let stereo = [
        "7c87fcce16e01fc739f92dcfb7e1a260b73845037aea485180111cbad921f7d920f5c908b54e652da2c0ccecfd125d87dca99030834f68f33ed0896b69d493737afab7e284a20dfc986de2d284124264",
        "7c8800ab12e196e2e31f383141f94efada582dbd6e934e9da76c63181aca6619959164e85adf6abcae2fffe9030f9dfc09beaf976f4292004c6187a2a584a693e1457c1faabbc2df0af2600b31ced27f",
        "7c8802e590ce337713eac9883ce2c658d4970c200e24e43aac519c9b475102cb0607b68fce53984d043a33977d0459f10732f995b944a8144059a625e62d18d55480cfd72647a5cd086abdb37192002d",
        "7c88026da9f8c68abd3988e7a0070d029e61f22f51df57a3c4cc4a88c6d270441bb817593d91383a961148eb89b3da8d0eaeddd49d291cd74a9a65b5df7945a68d6afed8f142e41f7f0069568a42809a",
        "7c8802640163b88abd3892cb20e9d5519e69461cf9bea0043c8850a86d97b7812dafeb7bc8b77303afd05d084dc0e1eb2a516355b96f17936e50aa32b1b7ef44f7c669804d5696425c56134d53ad809f",
        "7c88026aee6f73d9409996c917f6f72521d58af0507783a2c08cb5e0f751d75a0626c8c132104aaa904376103949b820346d4dd3cdca4cbf158d9ce20a8b750ce9d7820d54662f774c5f7cdcd34cf00a",
        "7c8802640163a7db9c52292ac96968d446326435f4ea2c9dec8412b83ff473c917fcac0a094b8538eec957434e73ed1e0c1a9bbd10dd951e8e81bcc753db87805546ad994123d72c631fc7aeca19409a",
        "7c8802640163a7db9c5f6e76a45ac09c93d21a4fa1c29e0f4826cd99321d22a70436ee0583b7ac01fa202a2c88c5eb9971968a091d24a3da6cbf19f26205706229b660381cf1a52b9a1b1433ba27800f",
        "7c88026da9f8c68abd3a292af0a80dca0987c62ef2c72972ff482064ac95a0f30e794709876e16fff0950828fa226b4c2c373cce01470bd04519f254e33cbd41f440df242b75057127bfc019c726fc0a",
        "4f410d8802622f550d073c8ff2aa6e6a8281ebadd74a68748fc9c5dad5ebaf722b8c78e8468145286c7c84a8312e32250dab169891b2d768fbfa7b9869ee2f7fa6973000000000000000000000000000",
        "4f410288025f647f5c47c2ff1f72ce0b5b0b4d868c050b001564fc0f0cc15027a2a2bb089522a25d617ae8f1d482e23054556face0240cced7b229c4786569a39d8176825d0a21cf7a01a5ff2b030000",
        "4f018802607ea2767918197f0177fc1ddee5e95b5772195ac20d36a2e2cc1f54c2607a20df616659ed21acb5a87827d9d52c73d4349c1ac6ee853d32b759445c4e4467ae53ba93542eb42187822ac8ee",
    ]

    @Test("Speech comes back at every rate", arguments: OpusEncoder.rates)
    func roundTrip(rate: Int) throws {
        let encoder = try #require(OpusEncoder(rate: rate, bitrate: 32000, complexity: 5))
        let decoder = try #require(OpusDecoder(rate: rate))
        let speech = SoundMaterial.speech(seconds: 3, rate: rate, seed: 1)
        var heard: [Int16] = []
        for frame in speech.chunks(of: encoder.frameSamples) where frame.count == encoder.frameSamples {
            let payload = encoder.encode(frame)
            #expect(payload.count > 2, "DTX is off")
            #expect(payload.withUnsafeBytes { decoder.duration(of: $0) } == frame.count)
            let decoded = decoder.decode(payload)
            #expect(decoded.count == frame.count)
            heard += decoded
        }
        let match = Correlation.best(of: speech, in: heard, rate: rate)
        #expect(match.coefficient > 0.9)
        // The encoder's look-ahead, and nothing else.
        #expect(match.lag >= 0 && Double(match.lag) / Double(rate) < 0.008)
        #expect(abs(heard.level - speech.level) < 1)
    }

    @Test("A stream made at one rate decodes at every other", arguments: OpusEncoder.rates)
    func crossRates(rate: Int) throws {
        let encoder = try #require(OpusEncoder(rate: rate, bitrate: 24000, complexity: 5))
        let tone = SoundMaterial.tone(hertz: 440, seconds: 1, rate: rate)
        let packets = tone.chunks(of: encoder.frameSamples).map { encoder.encode($0) }
        for other in OpusDecoder.rates {
            let decoder = try #require(OpusDecoder(rate: other))
            let heard = packets.flatMap { decoder.decode($0) }
            #expect(heard.count == other)
            let report = ToneMeter.analyse(Array(heard.dropFirst(other / 10)), rate: other, expectedHz: 440)
            #expect(abs(report.frequency - 440) < 1)
            #expect(abs(report.level - -15) < 1)
            #expect(report.snr > 15)
            #expect(report.gaps.isEmpty)
        }
    }

    @Test("A stereo stream is heard as mono at its level", arguments: OpusDecoder.rates)
    func stereoLevel(rate: Int) throws {
        let decoder = try #require(OpusDecoder(rate: rate))
        let heard = Self.stereo.flatMap { decoder.decode(bytes($0)) }
        #expect(heard.count == 12 * rate / 50)
        #expect(abs(Array(heard.dropFirst(rate / 20)).level - -15.26) < 0.5)
    }

    @Test("A lost packet is recovered better than concealed, and only where its successor holds it")
    func recovery() throws {
        let rate = 16000
        let encoder = try #require(OpusEncoder(rate: rate, bitrate: 32000, complexity: 5, expectedLoss: 20))
        let speech = SoundMaterial.speech(seconds: 20, rate: rate, seed: 2)
        let packets = speech.chunks(of: 320).map { encoder.encode($0) }
        let intact = try run(packets, lost: [], useRecovery: false)

        var random = SeededGenerator(seed: 11)
        let lost = Set((5..<packets.count - 1).filter { _ in Int.random(in: 0...99, using: &random) < 8 })
        #expect(lost.count > 40)
        let concealed = try run(packets, lost: lost, useRecovery: false)
        let recovered = try run(packets, lost: lost, useRecovery: true)
        #expect(concealed.recovered == 0)
        #expect(recovered.recovered > lost.count / 2)
        #expect(recovered.samples.count == intact.samples.count)

        let concealedError = concealed.samples.difference(to: intact.samples)
        let recoveredError = recovered.samples.difference(to: intact.samples)
        #expect(recoveredError < 0.7 * concealedError, "recovered \(recoveredError), concealed \(concealedError)")
    }

    @Test("Without redundancy nothing counts as recovered")
    func noRedundancy() throws {
        let encoder = try #require(OpusEncoder(rate: 16000, bitrate: 32000, complexity: 5))
        let packets = SoundMaterial.speech(seconds: 4, rate: 16000, seed: 2).chunks(of: 320).map { encoder.encode($0) }
        let result = try run(packets, lost: Set(stride(from: 10, to: 190, by: 7)), useRecovery: true)
        #expect(result.recovered == 0)
        encoder.set(expectedLoss: 20)
        let protected = SoundMaterial.speech(seconds: 4, rate: 16000, seed: 2).chunks(of: 320).map { encoder.encode($0) }
        #expect(protected.contains { $0.withUnsafeBytes { OpusPacket.carriesRedundancy($0) } })
        #expect(!packets.contains { $0.withUnsafeBytes { OpusPacket.carriesRedundancy($0) } })
    }

    @Test("Recovery refuses what libopus would only conceal")
    func recoveryLimits() throws {
        let encoder = try #require(OpusEncoder(rate: 16000, bitrate: 32000, complexity: 5, expectedLoss: 20))
        let packets = SoundMaterial.speech(seconds: 2, rate: 16000, seed: 2).chunks(of: 320).map { encoder.encode($0) }
        let next = try #require(packets.first { $0.withUnsafeBytes { OpusPacket.carriesRedundancy($0) } })
        let decoder = try #require(OpusDecoder(rate: 16000))
        #expect(decoder.recover(from: next, samples: 160) == nil, "shorter than the frame")
        #expect(decoder.recover(from: next, samples: 321) == nil, "no multiple of 2.5 ms")
        #expect(decoder.recover(from: [], samples: 320) == nil)
        // A CELT frame before it: libopus cannot use the copy.
        #expect(decoder.decode([31 << 3] + [UInt8](repeating: 7, count: 40)).count == 320)
        #expect(decoder.recover(from: next, samples: 320) == nil)
        decoder.reset()
        #expect(decoder.recover(from: next, samples: 320)?.count == 320)
    }

    @Test("Concealment continues the sound and fades")
    func concealment() throws {
        let encoder = try #require(OpusEncoder(rate: 16000, bitrate: 24000, complexity: 5))
        let decoder = try #require(OpusDecoder(rate: 16000))
        for frame in SoundMaterial.tone(hertz: 200, seconds: 0.5, rate: 16000).chunks(of: 320) {
            _ = decoder.decode(encoder.encode(frame))
        }
        let first = decoder.conceal(samples: 320)
        #expect(first.count == 320 && first.level > -25)
        var later: [Int16] = []
        for _ in 0..<10 { later = decoder.conceal(samples: 320) }
        #expect(later.level < first.level - 10)
        #expect(decoder.conceal(samples: 39).isEmpty, "less than 2.5 ms")
        #expect(decoder.conceal(samples: 0).isEmpty)
        #expect(decoder.conceal(samples: 350).count == 320)
    }

    @Test("Empty, oversized and random payloads never trap, and good ones are still heard after them")
    func hostile() throws {
        let decoder = try #require(OpusDecoder(rate: 16000))
        #expect(decoder.decode([]).isEmpty)
        // 63 frames of 20 ms: longer than 120 ms.
        #expect(decoder.decode([0x0B, 63] + [UInt8](repeating: 0, count: 200)).isEmpty)
        var random = SeededGenerator(seed: 4)
        var output = [Int16](repeating: 0, count: 1920)
        for _ in 0..<20_000 {
            let payload = (0..<Int.random(in: 0...90, using: &random)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            payload.withUnsafeBytes { bytes in
                output.withUnsafeMutableBufferPointer { output in
                    let duration = decoder.duration(of: bytes)
                    if let count = decoder.recover(from: bytes, samples: 320, into: output) { #expect(count == 320) }
                    let count = decoder.decode(bytes, into: output)
                    #expect(count == 0 || count == duration)
                }
            }
        }
        let encoder = try #require(OpusEncoder(rate: 16000, bitrate: 24000, complexity: 5))
        let heard = SoundMaterial.tone(hertz: 440, seconds: 1, rate: 16000).chunks(of: 320)
            .flatMap { decoder.decode(encoder.encode($0)) }
        let report = ToneMeter.analyse(Array(heard.dropFirst(3200)), rate: 16000, expectedHz: 440)
        #expect(report.snr > 15)
    }

    @Test("A payload longer than the room for it is refused whole")
    func tooLong() throws {
        let encoder = try #require(OpusEncoder(rate: 16000, bitrate: 24000, complexity: 5))
        let decoder = try #require(OpusDecoder(rate: 16000))
        let payload = encoder.encode([Int16](repeating: 100, count: 960))
        #expect(payload.withUnsafeBytes { OpusDecoder.duration(of: $0, rate: 48000) } == 2880)
        #expect(filled(320) { output in payload.withUnsafeBytes { decoder.decode($0, into: output) } }.isEmpty)
        #expect(decoder.decode(payload).count == 960)
    }

    @Test("The encoder refuses frames and settings that Opus does not have")
    func encoderLimits() throws {
        #expect(OpusEncoder(rate: 44100) == nil)
        #expect(OpusDecoder(rate: 12345) == nil)
        #expect(OpusEncoder(rate: 16000, bitrate: 24000, complexity: 11) == nil)
        #expect(OpusEncoder(rate: 16000, bitrate: 0, complexity: 5) == nil)
        let encoder = try #require(OpusEncoder(rate: 16000))
        #expect(encoder.encode([Int16](repeating: 0, count: 321)).isEmpty)
        #expect(encoder.encode([]).isEmpty)
        #expect(!encoder.set(bitrate: -1))
        let frames = SoundMaterial.speech(seconds: 4, rate: 16000, seed: 3).chunks(of: 320)
        // Bits a second over the four seconds. The rate is variable: pauses cost less than what is allowed.
        func bitrate() -> Int { frames.reduce(0) { $0 + encoder.encode($1).count } * 8 / 4 }
        #expect((12_000...26_000).contains(bitrate()))
        #expect(encoder.set(bitrate: 10_000))
        #expect((5_000...11_000).contains(bitrate()))
    }

    @Test("The catalogue makes every codec by name and rate, and nothing else")
    func catalogue() {
        for name in CodecCatalogue.names + ["OPUS", "PCMU", "Pcma"] {
            for rate in CodecCatalogue.rates(of: name) {
                #expect(CodecCatalogue.makeDecoder(name: name, rate: rate)?.rate == rate)
                #expect(CodecCatalogue.makeEncoder(name: name, rate: rate)?.frameSamples == rate / 50)
            }
        }
        #expect(CodecCatalogue.makeDecoder(name: "pcmu", rate: 16000) == nil)
        #expect(CodecCatalogue.makeEncoder(name: "opus", rate: 44100) == nil)
        #expect(CodecCatalogue.makeDecoder(name: "speex", rate: 8000) == nil)
        let opus = OpusEncoder.Settings(frameMilliseconds: 30)
        #expect(CodecCatalogue.makeEncoder(name: "pcma", rate: 8000, opus: opus)?.frameSamples == 240)
    }

    /// Decodes a stream of 20 ms packets with some of them lost.
    private func run(
        _ packets: [[UInt8]], lost: Set<Int>, useRecovery: Bool
    ) throws -> (samples: [Int16], recovered: Int) {
        let decoder = try #require(OpusDecoder(rate: 16000))
        var samples: [Int16] = []
        var recovered = 0
        for (index, packet) in packets.enumerated() {
            if !lost.contains(index) {
                samples += decoder.decode(packet)
            } else if useRecovery, !lost.contains(index + 1), let copy = decoder.recover(from: packets[index + 1], samples: 320) {
                samples += copy
                recovered += 1
            } else {
                samples += decoder.conceal(samples: 320)
            }
        }
        return (samples, recovered)
    }

    private func bytes(_ hexadecimal: String) -> [UInt8] {
        Array(hexadecimal).chunks(of: 2).compactMap { UInt8(String($0), radix: 16) }
    }
}
