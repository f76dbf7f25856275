/// A recording as WAV (RIFF): linear PCM, 16 bits, two channels. Its header is made to fit with every checkpoint, so that a crash
/// leaves a file that plays to its last second; silence takes no room on disks that know holes.
final class WAVFormat: RecordingFormat {
    private let output: any RecordingOutput
    private let rate: Int
    /// Bytes of sound so far, and how many of them the file holds: silence at its end is not there yet.
    private var length: Int64 = 0
    private var stored: Int64 = 0

    static let headerLength = 44
    private static let frameLength: Int64 = 4

    /// - Parameter rate: in Hz.
    init(_ output: any RecordingOutput, rate: Int) throws(RecordingFailure) {
        self.output = output
        self.rate = rate
        try writeHeader()
    }

    func write(_ samples: UnsafeBufferPointer<Int16>) throws(RecordingFailure) {
        // Little-endian, as every machine this runs on.
        let bytes = UnsafeRawBufferPointer(samples)
        try output.write(bytes, at: Int64(Self.headerLength) + length)
        length += Int64(bytes.count)
        stored = length
    }

    func silence(_ frames: Int) throws(RecordingFailure) { length += Int64(frames) * Self.frameLength }

    func checkpoint() throws(RecordingFailure) {
        if stored < length {
            try output.extend(to: Int64(Self.headerLength) + length)
            stored = length
        }
        try writeHeader()
    }

    func finish() throws(RecordingFailure) {
        try checkpoint()
        try output.finish()
    }

    private func writeHeader() throws(RecordingFailure) {
        let header = Self.header(rate: rate, dataLength: length)
        do {
            try header.withUnsafeBytes { try output.write($0, at: 0) }
        } catch let failure as RecordingFailure {
            throw failure
        } catch {
            throw RecordingFailure(description: "\(error)")
        }
    }

    /// The 44 bytes before the samples. Of a file beyond 4 GiB the sizes stay at the highest they can say.
    static func header(rate: Int, dataLength: Int64) -> [UInt8] {
        func number(_ value: Int64, _ size: Int) -> [UInt8] {
            let most = Int64(1) << (8 * Int64(size)) - 1
            return (0..<size).map { UInt8(truncatingIfNeeded: min(value, most) >> (8 * $0)) }
        }
        let rate = Int64(rate)
        return Array("RIFF".utf8) + number(dataLength + 36, 4) + Array("WAVEfmt ".utf8) + number(16, 4) + number(1, 2) + number(2, 2)
            + number(rate, 4) + number(rate * frameLength, 4) + number(frameLength, 2) + number(16, 2) + Array("data".utf8)
            + number(dataLength, 4)
    }
}
