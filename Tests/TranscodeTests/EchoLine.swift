import Foundation
import Testing
import Transcode

/// A telephone line with a hybrid: sends back what is played to it, late, weaker and coloured, under whatever is said at it.
struct EchoLine: Sendable, CustomTestStringConvertible {
    /// Milliseconds until the echo begins.
    var delay: Int
    /// Decibels by which it is weaker than what is played.
    var loss: Double
    var rate = 8000

    var testDescription: String { "\(loss) dB after \(delay) ms" }

    /// A short, ringing response.
    private static let response = (0..<48).map { (tap: Int) -> Double in
        let time = Double(tap)
        let ringing = exp(-time / 9) * cos(time * 0.9)
        return tap == 0 ? 0.4 * ringing : ringing
    }

    /// The echo of `far`.
    func echo(of far: [Int16]) -> [Double] {
        let places = delay * rate / 1000
        var echo = [Double](repeating: 0, count: far.count)
        far.withUnsafeBufferPointer { far in
            Self.response.withUnsafeBufferPointer { response in
                for place in places..<far.count {
                    var sum = 0.0
                    for tap in 0...min(response.count - 1, place - places) { sum += Double(far[place - places - tap]) * response[tap] }
                    echo[place] = sum
                }
            }
        }
        let power = echo.reduce(0) { $0 + $1 * $1 } / Double(far.count - places)
        let wanted = far.reduce(0) { $0 + Double($1) * Double($1) } / Double(far.count) * pow(10, -loss / 10)
        let gain = (wanted / max(power, 1e-9)).squareRoot()
        return echo.map { $0 * gain }
    }

    /// What comes from the line, through its codec.
    static func coded(_ sound: [Double]) -> [Int16] {
        let samples = sound.map { Int16(max(-32768, min(32767, $0.rounded()))) }
        return samples.chunks(of: 160).flatMap { G711Decoder(law: .mu).decode(G711Encoder(law: .mu).encode($0)) }
    }
}

extension LineEchoCanceller {
    /// Runs a line for as long as `far` and `near` last, frame by frame; returns what is left of `near`.
    /// - Parameters:
    ///   - frame: samples of a packet
    ///   - jitter: how many milliseconds later than others the packet of that number comes
    func run(
        far: [Int16], near: [Int16], rate: Int = 8000, frame: Int = 160, from start: Int = 0, jitter: (Int) -> Int = { _ in 0 }
    ) -> [Int16] {
        var left = near
        left.withUnsafeMutableBufferPointer { left in
            far.withUnsafeBufferPointer { far in
                var played = 0
                for packet in 0..<(min(far.count, left.count) / frame) {
                    let place = packet * frame
                    let clock = start + place + jitter(packet) * rate / 1000
                    // Everything that was due by then has been played.
                    while played <= clock - start, played + frame <= far.count {
                        let sound = UnsafeBufferPointer(rebasing: far[played..<(played + frame)])
                        self.played(sound, at: 5000 + Int64(start + played), clock: Int64(start + played))
                        played += frame
                    }
                    process(
                        UnsafeMutableBufferPointer(rebasing: left[place..<(place + frame)]), at: 4_000_000_000 + Int64(start + place),
                        clock: Int64(clock))
                }
            }
        }
        return left
    }
}
