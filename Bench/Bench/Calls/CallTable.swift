import Foundation

/// How the figures of calls are printed.
enum CallTable {
    static let head = """
                                     CPU-ms per   calls per   added delay, ms: p50 / p99             MB per
                            ratio   call-second        core      to phone     to browser     lost     call
        """

    /// CPU and ratio: median of the rounds. Delay: median of all markers. Loss: of all rounds together.
    static func line(_ name: String, figures: [CallFigures], ratio: Double) -> String {
        let cpu = median(figures.map(\.cpuPerCallSecond))
        let lost = 100 * Double(figures.reduce(0) { $0 + $1.lost }) / Double(max(1, figures.reduce(0) { $0 + $1.sent }))
        let figures = String(
            format: "%7.2f %13.2f %11.0f %@ %@ %7.3f%% %8.2f", ratio, cpu, 1000 / cpu, delays(figures.flatMap(\.delaysToPhone)),
            delays(figures.flatMap(\.delaysToBrowser)), lost, figures.last?.memoryPerCall ?? .nan)
        return "  " + name.padding(toLength: 18, withPad: " ", startingAt: 0) + figures
    }

    /// Half and 99 of a hundred markers are not later than these.
    static func delays(_ values: [Double]) -> String {
        guard !values.isEmpty else { return "             -" }
        let sorted = values.sorted()
        return String(format: "%6.1f /%6.1f", sorted[sorted.count / 2], sorted[min(sorted.count - 1, sorted.count * 99 / 100)])
    }

    static func median(_ values: [Double]) -> Double {
        values.isEmpty ? .nan : values.sorted()[values.count / 2]
    }
}
