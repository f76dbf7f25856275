import CBench
import Foundation

/// A gateway under load. It ends with this object, or with the bench.
final class MeasuredProcess {
    private let identifier: Int32
    private let logPath: String

    /// - Parameter folder: where its log goes
    init(_ program: String, _ arguments: [String], folder: URL) throws {
        guard FileManager.default.isExecutableFile(atPath: program) else { throw BenchFailure("\(program) is not there") }
        logPath = folder.appendingPathComponent("\(URL(fileURLWithPath: program).lastPathComponent)-\(arguments.first ?? "").log").path
        // Else what an earlier one said would be taken for its own.
        try? FileManager.default.removeItem(atPath: logPath)
        var strings = ([program] + arguments).map { strdup($0) } as [UnsafeMutablePointer<CChar>?]
        strings.append(nil)
        defer { strings.forEach { free($0) } }
        let pointers = strings.map { UnsafePointer<CChar>($0) }
        let started = bench_process_start(program, pointers, logPath)
        guard started > 0 else { throw BenchFailure("\(program) does not start: error \(-started)") }
        identifier = started
    }

    deinit {
        bench_process_stop(identifier)
    }

    var log: String { (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? "" }

    /// User and system time of all its threads, in nanoseconds.
    func cpuTime() throws -> Double {
        let time = bench_process_cpu_nanoseconds(identifier)
        guard time >= 0 else { throw failure("the gateway is gone") }
        return Double(time)
    }

    /// Memory of its own, in kB.
    func anonymousMemory() throws -> Double {
        let status = (try? String(contentsOfFile: "/proc/\(identifier)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
        guard let memory = line?.split(separator: " ").dropFirst().first.flatMap({ Double($0) }) else { throw failure("the gateway is gone") }
        return memory
    }

    /// Descriptors that are open in it.
    func descriptors() throws -> Int {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(identifier)/fd") else { throw failure("the gateway is gone") }
        return names.count
    }

    /// Waits for a line of its log that begins so.
    func line(beginning prefix: String) throws -> String {
        for _ in 0..<500 {
            if let line = log.split(separator: "\n", omittingEmptySubsequences: true).first(where: { $0.hasPrefix(prefix) }), log.hasSuffix("\n") {
                return String(line)
            }
            _ = try cpuTime()
            usleep(20_000)
        }
        throw failure("the gateway is not ready after ten seconds")
    }

    /// What is mapped into it, as in proc(5).
    func mappings() throws -> String {
        // Foundation takes a short read for the end, and the kernel hands this out a page at a time.
        guard let file = fopen("/proc/\(identifier)/maps", "r") else { throw failure("the gateway is gone") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&piece, 1, piece.count, file), count > 0 { bytes += piece[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// With the end of its log.
    func failure(_ reason: String) -> BenchFailure {
        BenchFailure(reason + "; its log ends:\n" + log.split(separator: "\n").suffix(15).joined(separator: "\n"))
    }
}
