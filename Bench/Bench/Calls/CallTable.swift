import Foundation

/// How the figures of calls are printed.
enum CallTable {
    static let head = """
                                     CPU-ms per   calls per      added delay, ms             MB per
                            ratio   call-second        core   to phone  to browser     lost     call
        """

    /// CPU and ratio: median of the rounds. Delay: median of all markers. Loss: of all rounds together.
    static func line(_ name: String, figures: [CallFigures], ratio: Double) -> String {
        let cpu = median(figures.map(\.cpuPerCallSecond))
        let lost = 100 * Double(figures.reduce(0) { $0 + $1.lost }) / Double(max(1, figures.reduce(0) { $0 + $1.sent }))
        let figures = String(
            format: "%7.2f %13.2f %11.0f %10.1f %11.1f %7.3f%% %8.2f", ratio, cpu, 1000 / cpu, median(figures.flatMap(\.delaysToPhone)),
            median(figures.flatMap(\.delaysToBrowser)), lost, figures.last?.memoryPerCall ?? .nan)
        return "  " + name.padding(toLength: 18, withPad: " ", startingAt: 0) + figures
    }

    static func median(_ values: [Double]) -> Double {
        values.isEmpty ? .nan : values.sorted()[values.count / 2]
    }
}
