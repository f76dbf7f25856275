import Glibc

/// Reads small files whole.
enum ConfigurationFile {
    struct Unreadable: Error {
        /// The system's words, such as `No such file or directory`.
        let reason: String
    }

    /// Longer than any token, certificate passwords included.
    static let secretLimit = 64 * 1024

    /// At most `limit` bytes and one more, so that the caller can tell a file that is too large.
    static func read(_ path: String, limit: Int) throws(Unreadable) -> [UInt8] {
        guard !path.utf8.contains(0) else { throw Unreadable(reason: "the path is not valid") }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Unreadable(reason: lastError()) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while bytes.count <= limit {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Unreadable(reason: lastError()) }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return Array(bytes.prefix(limit + 1))
    }

    /// A path as the file at `file` means it: relative ones start at its folder.
    static func resolve(_ path: String, besides file: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }

    static func lastError() -> String {
        String(cString: strerror(errno))
    }
}
