import CBench
import Foundation

/// Where the figures come from: printed above them, for they mean nothing without.
struct Machine {
    static var description: String {
        let processor = field("model name", of: "/proc/cpuinfo") ?? "processor unknown"
        let system = field("PRETTY_NAME", of: "/etc/os-release")?.replacingOccurrences(of: "\"", with: "") ?? "system unknown"
        let kernel = contents("/proc/sys/kernel/osrelease") ?? "unknown"
        let load = contents("/proc/loadavg")?.split(separator: " ").first.map(String.init) ?? "unknown"
        return """
            machine    \(processor), \(ProcessInfo.processInfo.processorCount) processors, \(system), kernel \(kernel)
            libraries  \(String(cString: bench_versions()))
            load       \(load) when the run began; disturbed rounds hit both sides, but trust a quiet machine more
            """
    }

    private static func contents(_ path: String) -> String? {
        (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The value behind the first `name`, `:` or `=`, in a file of such lines.
    private static func field(_ name: String, of path: String) -> String? {
        let line = contents(path)?.split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(maxSplits: 1, whereSeparator: { $0 == ":" || $0 == "=" }).last?.trimmingCharacters(in: .whitespaces)
    }
}
