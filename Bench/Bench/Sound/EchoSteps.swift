import Foundation
import Transcode

/// `Bench line-echo`: what our line echo canceller leaves of raw samples on standard input, in pairs of what is played to a line and
/// what comes from it at that time (scripts/bench-echo.sh). Packets of 20 ms.
enum EchoSteps {
    static let argument = "line-echo"

    static func run(rate: Int) -> Never {
        guard let canceller = LineEchoCanceller(rate: rate) else { exit(64) }
        let count = rate / 50
        let (far, near) = (
            UnsafeMutableBufferPointer<Int16>.allocate(capacity: count), UnsafeMutableBufferPointer<Int16>.allocate(capacity: count)
        )
        var left = Data()
        let input = FileHandle.standardInput.readDataToEndOfFile()
        input.withUnsafeBytes { bytes in
            let pairs = bytes.bindMemory(to: Int16.self)
            for start in stride(from: 0, through: pairs.count / 2 - count, by: count) {
                for index in 0..<count { (far[index], near[index]) = (pairs[2 * (start + index)], pairs[2 * (start + index) + 1]) }
                canceller.played(UnsafeBufferPointer(far), at: Int64(start), clock: Int64(start))
                canceller.process(near, at: Int64(start), clock: Int64(start))
                left.append(Data(buffer: near))
            }
        }
        FileHandle.standardOutput.write(left)
        exit(0)
    }
}
