import Foundation

/// Counts the allocations that a gateway makes on its media path, by a library preloaded into it (Tests/Interop/allocations/count.c)
/// which tells them apart by the stack that made them.
struct AllocationCounter {
    /// Allocations by whose code asked for them.
    struct Counts {
        /// Turns of media loops.
        var turns = 0
        /// By the place in our code, or in whatever belongs to none of the libraries below: file and offset.
        var ours: [String: Int] = [:]
        var openSSL = 0
        var opus = 0

        static func - (after: Counts, before: Counts) -> Counts {
            Counts(
                turns: after.turns - before.turns, ours: after.ours.merging(before.ours) { $0 - $1 }.filter { $0.value > 0 },
                openSSL: after.openSSL - before.openSSL, opus: after.opus - before.opus)
        }
    }

    private struct Mapping {
        let addresses: Range<UInt64>
        let path: String
    }

    // As in count.c: two words, then rows of a key, a count and return addresses.
    private static let (headWords, rowWords) = (2, 18)

    private let report: URL

    /// - Parameter folder: where the counts are kept
    init(folder: URL) throws {
        guard FileManager.default.fileExists(atPath: Self.library) else { throw BenchFailure("\(Self.library) is not there: make bench builds it") }
        report = folder.appendingPathComponent("allocations")
        try? FileManager.default.removeItem(at: report)
    }

    /// Beside this program, where `make bench` built it.
    private static var library: String {
        URL(fileURLWithPath: BareGateway.program).deletingLastPathComponent().appendingPathComponent("libcountallocations.so").path
    }

    /// What `make` starts is counted.
    func counting<Subject>(_ make: () throws -> Subject) rethrows -> Subject {
        setenv("LD_PRELOAD", Self.library, 1)
        setenv("ALLOCATIONS", report.path, 1)
        defer {
            unsetenv("LD_PRELOAD")
            unsetenv("ALLOCATIONS")
        }
        return try make()
    }

    /// Since `process` began.
    func counts(of process: MeasuredProcess) throws -> Counts {
        let data = try Data(contentsOf: report)
        let words = data.withUnsafeBytes { bytes in (0..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self) } }
        guard words.count > Self.headWords, words[1] == 0 else { throw process.failure("allocations were not counted: there are too many places") }
        let mappings = try Self.mappings(process)
        var counts = Counts()
        counts.turns = Int(words[0])
        for row in stride(from: Self.headWords, through: words.count - Self.rowWords, by: Self.rowWords) where words[row + 1] > 0 {
            let (count, address) = (Int(words[row + 1]), words[row + 2])
            let path = mappings.first { $0.addresses.contains(address) }?.path ?? ""
            let file = path.split(separator: "/").last.map(String.init) ?? "?"
            if file.hasPrefix("libcrypto") || file.hasPrefix("libssl") {
                counts.openSSL += count
            } else if file.hasPrefix("libopus") {
                counts.opus += count
            } else {
                let start = mappings.filter { $0.path == path }.map(\.addresses.lowerBound).min() ?? 0
                counts.ours["\(file)+0x\(String(address - start, radix: 16))", default: 0] += count
            }
        }
        return counts
    }

    private static func mappings(_ process: MeasuredProcess) throws -> [Mapping] {
        try process.mappings().split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
            let addresses = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
            guard fields.count == 6, addresses.count == 2, addresses[0] <= addresses[1] else { return nil }
            return Mapping(addresses: addresses[0]..<addresses[1], path: fields[5].trimmingCharacters(in: .whitespaces))
        }
    }
}
