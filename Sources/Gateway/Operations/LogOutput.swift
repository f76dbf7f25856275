import Glibc

/// Where lines go: a file descriptor, one write(2) a line, so that lines of several threads never mix.
struct LogOutput: Sendable {
    let descriptor: Int32

    static let standardError = LogOutput(descriptor: STDERR_FILENO)

    /// Writes one line with its line break. What a full pipe, or nobody at its end, does not take is lost: sound is worth more than its log.
    func write(_ line: [UInt8]) {
        line.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if count < 0, errno == EINTR {
                    continue
                } else {
                    return
                }
            }
        }
    }
}
