import Testing

@testable import Dialplan

@Suite("WAV files of play steps")
struct WAVHeaderTests {
    private func bytes(_ value: Int, _ width: Int) -> [UInt8] { (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

    private func format(_ code: Int = 1, channels: Int = 1, rate: Int = 8000, bits: Int = 16, more: [UInt8] = []) -> [UInt8] {
        let body = bytes(code, 2) + bytes(channels, 2) + bytes(rate, 4) + bytes(rate * channels * bits / 8, 4) + bytes(channels * bits / 8, 2) + bytes(bits, 2) + more
        return Array("fmt ".utf8) + bytes(body.count, 4) + body
    }

    private func file(_ chunks: [UInt8]...) -> [UInt8] { Array("RIFF".utf8) + bytes(0, 4) + Array("WAVE".utf8) + chunks.flatMap { $0 } }
    private func data(_ length: Int, claiming claimed: Int? = nil) -> [UInt8] { Array("data".utf8) + bytes(claimed ?? length, 4) + [UInt8](repeating: 0, count: length) }

    private func read(_ bytes: [UInt8]) throws -> WAVHeader { try WAVHeader(bytes, size: bytes.count) }

    @Test("what can be played")
    func playable() throws {
        let plain = try read(file(format(), data(320)))
        #expect(plain == (try WAVHeader(file(format(), data(320)).prefix(44).map { $0 }, size: 364)))
        #expect((plain.encoding, plain.channels, plain.sampleRate, plain.dataOffset, plain.dataBytes) == (.pcm16, 1, 8000, 44, 320))
        #expect(try read(file(format(6, channels: 2, rate: 16000, bits: 8), data(9))).dataBytes == 8)
        #expect(try read(file(format(7, bits: 8), data(9))).encoding == .mulaw)
        #expect(try read(file(Array("LIST".utf8) + bytes(3, 4) + [1, 2, 3, 0], format(rate: 48000), data(4))).dataOffset == 56)
        #expect(try read(file(format(0xFFFE, more: bytes(22, 2) + bytes(16, 2) + bytes(4, 4) + bytes(1, 2) + [UInt8](repeating: 0, count: 14)), data(4))).encoding == .pcm16)
        #expect(try read(file(format(), data(100, claiming: 0xFFFF_FFFF))).dataBytes == 100)
        #expect(try read(file(format(), data(100, claiming: 5000))).dataBytes == 100)
    }

    @Test("what cannot, and why")
    func unplayable() {
        func reason(_ bytes: [UInt8]) -> String? {
            do throws(WAVHeader.Unplayable) { _ = try WAVHeader(bytes, size: bytes.count) } catch { return error.reason }
            return nil
        }
        #expect(reason([]) == "it is no WAV file")
        #expect(reason(Array("OggS".utf8) + [UInt8](repeating: 0, count: 50)) == "it is no WAV file")
        #expect(reason(file(format())) == "its header is not complete")
        #expect(reason(file(data(4))) == "its sound comes before its format")
        #expect(reason(file(format(3, bits: 32), data(4))) == "its format is not PCM of 16 bits or G.711 (format 3, 32 bits)")
        #expect(reason(file(format(bits: 24), data(4))) == "its format is not PCM of 16 bits or G.711 (format 1, 24 bits)")
        #expect(reason(file(format(channels: 6), data(4))) == "it has 6 channels, not one or two")
        #expect(reason(file(format(channels: 0), data(4))) == "it has 0 channels, not one or two")
        #expect(reason(file(format(rate: 96000), data(4))) == "its sample rate is 96000, not 8000 to 48000")
        #expect(reason(file(format(), data(1))) == "it has no sound in it")
        #expect(reason(file(Array("junk".utf8) + bytes(0x7FFF_FFFF, 4))) == "its header is not complete")
    }

    @Test("damaged headers never trap")
    func damaged() {
        var generator = SeededGenerator(seed: 3)
        let whole = file(Array("LIST".utf8) + bytes(3, 4) + [1, 2, 3, 0], format(), data(40))
        for _ in 0..<3000 {
            var bytes = Array(whole.prefix(Int.random(in: 0...whole.count, using: &generator)))
            for _ in 0..<Int.random(in: 0...4, using: &generator) where !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: .min ... .max, using: &generator)
            }
            if let header = try? WAVHeader(bytes, size: bytes.count) { #expect(header.dataOffset + header.dataBytes <= bytes.count) }
        }
    }

    @Test("a play step names a file beside the plan that is there and can be played")
    func steps() throws {
        let wav = file(format(), data(320))
        let files = PlanFiles(
            resolve: { $0.hasPrefix("/") ? $0 : "/etc/tandem/" + $0 },
            head: { path throws(PlanFiles.Unreadable) in
                switch path {
                case "/etc/tandem/hello.wav": (wav, wav.count)
                case "/etc/passwd": (Array("root:x:0:0".utf8), 10)
                default: throw PlanFiles.Unreadable(reason: "No such file or directory")
                }
            })
        let context = PlanContext(trunks: [:], agents: [], files: files)
        func load(_ name: String) -> (plan: Plan?, problems: [Problem]) {
            Plan.load(text: "routes: [{ name: a, do: [{ play: \(name) }] }]", file: "p", context: context)
        }
        #expect(load("hello.wav").plan?.routes[0].steps == [.play(file: "/etc/tandem/hello.wav")])
        #expect(load("/etc/passwd").problems.map(\.message) == ["the file “/etc/passwd” cannot be played: it is no WAV file"])
        #expect(load("bye.wav").problems.map(\.description) == ["p:1:34: error: the file “bye.wav” cannot be read: No such file or directory"])
    }
}
