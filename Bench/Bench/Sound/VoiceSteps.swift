import Foundation
import Transcode

/// `Bench voice RATE`: what our voice activity detector says of raw samples on standard input, one byte for each 10 ms
/// (scripts/bench-vad.sh).
enum VoiceSteps {
    static let argument = "voice"

    static func run(rate: Int) -> Never {
        let detector = VoiceActivityDetector(rate: rate)
        let stepBytes = rate / 100 * MemoryLayout<Int16>.size
        FileHandle.standardInput.readDataToEndOfFile().withUnsafeBytes { sound in
            for start in stride(from: 0, through: sound.count - stepBytes, by: stepBytes) {
                UnsafeRawBufferPointer(rebasing: sound[start..<start + stepBytes]).withMemoryRebound(to: Int16.self) {
                    _ = detector.process($0)
                }
                putchar(detector.isSpeaking ? 1 : 0)
            }
        }
        exit(0)
    }
}
