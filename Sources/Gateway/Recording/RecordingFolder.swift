import Foundation

/// The folder of recordings: a folder for each day (UTC), in it a file for each call, named for it.
struct RecordingFolder: Sendable {
    let path: String

    /// `2026-11-28/0123….wav`
    static func name(of call: CallID, at time: Date, format: Configuration.Recordings.Format) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let day = calendar.dateComponents([.year, .month, .day], from: time)
        func padded(_ number: Int?, _ width: Int) -> String {
            let text = "\(number ?? 0)"
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        return "\(padded(day.year, 4))-\(padded(day.month, 2))-\(padded(day.day, 2))/\(call).\(format.rawValue)"
    }

    /// The path of a recording that is complete, as records name it; nil for anything that is no name of one.
    func file(_ name: String) -> String? {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, Self.isDay(parts[0]), Self.isRecording(parts[1]) else { return nil }
        return "\(path)/\(name)"
    }

    /// Deletes a recording.
    /// - Returns: false if there is none of that name.
    func delete(_ name: String) -> Bool {
        guard let file = file(name), unlink(file) == 0 else { return false }
        rmdir(URL(fileURLWithPath: file).deletingLastPathComponent().path)
        return true
    }

    /// Makes whole what a process that was killed left behind.
    /// - Returns: how many files.
    func repair() -> Int {
        files { $0.hasSuffix(RecordingFile.partial) && Self.isRecording(String($0.dropLast(RecordingFile.partial.count))) }
            .count { Self.repair($0) }
    }

    /// Deletes recordings that ended longer ago than `days`; 0 keeps them all.
    /// - Returns: how many.
    func prune(days: Int, now: Date) -> Int {
        guard days > 0 else { return 0 }
        let limit = now.addingTimeInterval(-Double(days) * 86_400)
        return files(Self.isRecording).count { file in
            let changed = try? FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date
            guard let changed, changed < limit, unlink(file) == 0 else { return false }
            // Fails while there is another file in it.
            rmdir(URL(fileURLWithPath: file).deletingLastPathComponent().path)
            return true
        }
    }

    /// Files of ours: what else lies in the folder is left alone.
    private func files(_ isWanted: (String) -> Bool) -> [String] {
        let manager = FileManager.default
        let days = ((try? manager.contentsOfDirectory(atPath: path)) ?? []).filter(Self.isDay).sorted()
        return days.flatMap { day in
            ((try? manager.contentsOfDirectory(atPath: "\(path)/\(day)")) ?? []).filter(isWanted).sorted().map { "\(path)/\(day)/\($0)" }
        }
    }

    private static func isDay(_ name: String) -> Bool {
        name.utf8.count == 10 && name.utf8.enumerated().allSatisfy { [4, 7].contains($0.offset) ? $0.element == 0x2D : (0x30...0x39).contains($0.element) }
    }

    private static func isRecording(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 2 && CallID(String(parts[0])) != nil && Configuration.Recordings.Format(rawValue: String(parts[1])) != nil
    }

    private static func repair(_ partial: String) -> Bool {
        let descriptor = open(partial, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // Another gateway may be writing it.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return false }
        let path = String(partial.dropLast(RecordingFile.partial.count))
        if path.hasSuffix(".\(Configuration.Recordings.Format.wav.rawValue)") { fitHeader(descriptor) }
        return rename(partial, path) == 0
    }

    /// The sizes in a WAV file's header become those of the file. Ogg has none.
    private static func fitHeader(_ descriptor: Int32) {
        var status = stat()
        var rate: UInt32 = 0
        let length = WAVFormat.headerLength
        guard fstat(descriptor, &status) == 0, Int(status.st_size) >= length,
            withUnsafeMutableBytes(of: &rate, { pread(descriptor, $0.baseAddress, 4, 24) }) == 4
        else { return }
        // Half a frame at the end has no place.
        let sound = (Int64(status.st_size) - Int64(length)) / 4 * 4
        let header = WAVFormat.header(rate: Int(UInt32(littleEndian: rate)), dataLength: sound)
        _ = header.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        _ = ftruncate(descriptor, length + Int(sound))
    }
}
