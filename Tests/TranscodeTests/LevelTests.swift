import Glibc
import TestKit
import Testing
import Transcode

@Suite("Levels")
struct LevelTests {
    @Test("RMS, decibels and peak")
    func level() {
        #expect([Int16](repeating: .min, count: 10).level == 0)
        #expect(abs(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: 8000, level: -23).level - -23) < 0.01)
        #expect([Int16]().level == Double(Level.floor))
        #expect([Int16](repeating: 0, count: 5).level == Double(Level.floor))
        #expect([Int16.min, 3].withUnsafeBufferPointer { Level.peak($0) } == 32768)
        #expect(abs(Level.dBFS(rms: Level.rms(dBFS: -37)) - -37) < 0.001)
    }

    @Test("A fade takes 5 ms and has no jump", arguments: [8000, 16000, 24000, 48000])
    func ramp(rate: Int) {
        var frame = [Int16](repeating: 10000, count: rate / 50)
        frame.withUnsafeMutableBufferPointer { Ramp.fadeOut($0, over: Ramp.samples(at: rate)) }
        #expect(frame[0] == 10000)
        #expect(frame[(rate / 200)...].allSatisfy { $0 == 0 })
        #expect(zip(frame, frame.dropFirst()).allSatisfy { $0 >= $1 && $0 - $1 < 10000 * 2 / (rate / 200) })

        var short = [Int16](repeating: 500, count: 3)
        short.withUnsafeMutableBufferPointer { Ramp.fadeOut($0, over: Ramp.samples(at: rate)) }
        #expect(short[2] < 500)
    }

    @Test("Comfort noise takes on the background's level, not the speech's")
    func comfortNoise() {
        let noise = ComfortNoise(seed: 1)
        var random = SeededGenerator(seed: 2)
        for index in 0..<1000 {
            // Half the time speech at -20, half the time the line at -58.
            let level: Double = index / 50 % 2 == 0 ? -20 : -58
            SoundMaterial.noise(seconds: 0.02, rate: 8000, level: level, seed: random.next())
                .withUnsafeBufferPointer { noise.observe($0) }
        }
        let sound = filled(16000) { noise.fill($0); return $0.count }
        #expect(abs(sound.level - Double(noise.level)) < 1)
        #expect(abs(sound.level - -58) < 6)
        noise.set(level: 0)
        #expect(noise.level == ComfortNoise.loudest)
        noise.set(level: -200)
        #expect(filled(160) { noise.fill($0); return 160 }.allSatisfy { $0 == 0 })
    }

    @Test("The same seed sounds the same, another one does not")
    func seeds() {
        func sound(_ seed: UInt64) -> [Int16] { filled(800) { ComfortNoise(seed: seed).fill($0); return 800 } }
        #expect(sound(5) == sound(5))
        #expect(sound(5) != sound(7))
    }
}
