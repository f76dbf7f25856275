import Foundation

/// A recording on a disk: readable by its owner only, locked while it is written, named `.part` until it is complete.
final class RecordingFile: RecordingOutput {
    private let descriptor: Int32
    private let path: String

    /// Behind the name of a file that is being written.
    static let partial = ".part"

    /// - Parameter path: of the complete file; its folder is made.
    init(_ path: String) throws(RecordingFailure) {
        self.path = path
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw RecordingFailure(description: RecordStore.reason(of: error))
        }
        descriptor = open(path + Self.partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Self.lastError() }
        // A gateway that starts beside this one must not take it for a leftover.
        _ = flock(descriptor, LOCK_EX | LOCK_NB)
    }

    deinit { close(descriptor) }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(RecordingFailure) {
        try Self.write(bytes, to: descriptor, at: offset)
    }

    func extend(to length: Int64) throws(RecordingFailure) {
        guard ftruncate(descriptor, Int(length)) == 0 else { throw Self.lastError() }
    }

    func finish() throws(RecordingFailure) {
        guard fsync(descriptor) == 0, rename(path + Self.partial, path) == 0 else { throw Self.lastError() }
    }

    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int64) throws(RecordingFailure) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, Int(offset) + done)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw lastError() }
            done += count
        }
    }

    static func lastError() -> RecordingFailure { RecordingFailure(description: String(cString: strerror(errno))) }
}
