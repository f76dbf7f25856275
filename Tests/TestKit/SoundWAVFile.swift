import Glibc

/// Mono 16-bit PCM in a RIFF file, for listening to what a test heard.
public struct WAVFile: Sendable, Equatable {
    /// Why a file could not be read or written.
    public enum Failure: Error, Equatable {
        case cannotOpen(String)
        case cannotWrite(String)
        case notMonoPCM16
    }

    /// Samples a second.
    public var rate: Int
    public var samples: [Int16]

    public init(rate: Int, samples: [Int16]) {
        self.rate = rate
        self.samples = samples
    }

    /// Reads the file at `path`.
    public init(path: String) throws(Failure) {
        guard let file = fopen(path, "rb") else { throw .cannotOpen(path) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        try self.init(bytes: bytes)
    }

    /// Reads the contents of a file. Chunks other than `fmt ` and `data` are passed over.
    public init(bytes: [UInt8]) throws(Failure) {
        func number(_ offset: Int, _ size: Int) -> Int {
            (0..<size).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
        }
        func name(_ offset: Int) -> String { String(decoding: bytes[offset..<offset + 4], as: UTF8.self) }
        guard bytes.count >= 12, name(0) == "RIFF", name(8) == "WAVE" else { throw .notMonoPCM16 }
        var offset = 12
        var format: Int?
        while offset + 8 <= bytes.count {
            let body = offset + 8
            // A recorder that was stopped hard leaves a length that is too large: take what there is.
            let length = min(number(offset + 4, 4), bytes.count - body)
            if name(offset) == "fmt ", length >= 16 {
                guard number(body, 2) == 1, number(body + 2, 2) == 1, number(body + 14, 2) == 16 else { throw .notMonoPCM16 }
                format = number(body + 4, 4)
            } else if name(offset) == "data", let format {
                rate = format
                samples = (0..<length / 2).map { Int16(truncatingIfNeeded: number(body + 2 * $0, 2)) }
                return
            }
            offset = body + length + length % 2
        }
        throw .notMonoPCM16
    }

    /// The contents of the file.
    public var bytes: [UInt8] {
        func number(_ value: Int, _ size: Int) -> [UInt8] { (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        let size = samples.count * 2
        var result = Array("RIFF".utf8) + number(36 + size, 4) + Array("WAVEfmt ".utf8) + number(16, 4)
        result += number(1, 2) + number(1, 2) + number(rate, 4) + number(rate * 2, 4) + number(2, 2) + number(16, 2)
        result += Array("data".utf8) + number(size, 4)
        result.reserveCapacity(44 + size)
        for sample in samples {
            result.append(UInt8(truncatingIfNeeded: sample))
            result.append(UInt8(truncatingIfNeeded: sample >> 8))
        }
        return result
    }

    /// Writes the file at `path`, in place of one that is there.
    public func write(to path: String) throws(Failure) {
        guard let file = fopen(path, "wb") else { throw .cannotOpen(path) }
        let bytes = bytes
        let written = fwrite(bytes, 1, bytes.count, file)
        let closed = fclose(file)
        guard written == bytes.count, closed == 0 else { throw .cannotWrite(path) }
    }
}
