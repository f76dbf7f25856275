import Glibc

/// Replaces a file as a whole: whoever reads it, at whatever moment the machine stops, finds the old text or the new one.
enum AtomicFile {
    struct Failure: Error, Sendable, Equatable {
        /// The system's words, such as `Permission denied`.
        let reason: String
    }

    /// Writes a file beside the old one, brings it to the disk and renames it. Owner, group and permissions stay as they are, as far as the
    /// process may set them; a symbolic link stays one.
    /// - Parameter suffix: makes the temporary name unique in the folder.
    static func replace(_ path: String, with bytes: [UInt8], suffix: String) throws(Failure) {
        let target = try resolved(path)
        var status = stat()
        guard stat(target, &status) == 0 else { throw lastError() }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Failure(reason: "it is no regular file") }
        let slash = target.lastIndex(of: "/")
        let folder = slash.map { String(target[...$0]) } ?? "./"
        let name = slash.map { target[target.index(after: $0)...] } ?? target[...]
        let temporary = "\(folder).\(name).\(suffix)"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw lastError() }
        do throws(Failure) {
            defer { close(descriptor) }
            try write(bytes, to: descriptor)
            // Only root may give a file away; for all others it is theirs already, or cannot be helped. The owner first: it clears set-id bits.
            _ = fchown(descriptor, status.st_uid, status.st_gid)
            guard fchmod(descriptor, status.st_mode & 0o7777) == 0, fsync(descriptor) == 0 else { throw lastError() }
            guard rename(temporary, target) == 0 else { throw lastError() }
        } catch {
            unlink(temporary)
            throw error
        }
        synchronise(folder)
    }

    /// The rename itself reaches the disk with its folder.
    private static func synchronise(_ folder: String) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) throws(Failure) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, bytes.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw lastError() }
            written += count
        }
    }

    private static func resolved(_ path: String) throws(Failure) -> String {
        guard let pointer = realpath(path, nil) else { throw lastError() }
        defer { free(pointer) }
        return String(cString: pointer)
    }

    private static func lastError() -> Failure { Failure(reason: String(cString: strerror(errno))) }
}
