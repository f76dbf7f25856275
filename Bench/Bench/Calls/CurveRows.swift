import Foundation

/// What the plots of docs/performance.md show, as tables of commas: CPU time against the number of calls, and delays one by one.
struct CurveRows {
    static let argument = "curves"
    /// Numbers of calls at once, by what is at their ends.
    private static let counts: [(kind: CallRows.Kind, counts: [Int])] = [
        (.browserAndTrunk, [5, 10, 20, 40, 80]), (.phoneAndAgent, [5, 10, 20, 50, 100, 200]),
    ]
    private static let seconds: Int64 = 3
    /// A gateway that would need more than this share of a core is not asked.
    private static let mostBusy = 1.6
    /// Of twenty calls, those that measure delay, and for how long.
    private static let (delayCalls, probes, delaySeconds) = (20, 10, Int64(10))

    let rows: CallRows
    let folder: URL

    func run() throws {
        try costs().write(to: folder.appendingPathComponent("cpu.csv"), atomically: true, encoding: .utf8)
        try delays().write(to: folder.appendingPathComponent("delay.csv"), atomically: true, encoding: .utf8)
    }

    private func costs() throws -> String {
        var text = "ends,gateway,calls,cpu_ms_per_call_second\n"
        for (kind, counts) in Self.counts {
            var last: [Int: Double] = [:]
            for count in counts {
                let agent = try rows.agent(for: kind)
                for (index, make) in rows.makers(kind, count, agent).enumerated() where (last[index] ?? 0) * Double(count) < Self.mostBusy * 1000 {
                    let subject = try make()
                    let cpu = try CallLoad(subject: subject, seconds: Self.seconds).run().cpuPerCallSecond
                    last[index] = cpu
                    text += "\(kind.ends),\(subject.name),\(count),\(String(format: "%.3f", cpu))\n"
                }
            }
        }
        return text
    }

    private func delays() throws -> String {
        var rows = rows
        rows.material.probes = Self.probes
        var text = "ends,gateway,to,delay_ms\n"
        for kind in CallRows.Kind.allCases {
            let agent = try rows.agent(for: kind)
            for make in rows.makers(kind, Self.delayCalls, agent) {
                let subject = try make()
                let figures = try CallLoad(subject: subject, seconds: Self.delaySeconds).run()
                for (to, delays) in [("phone", figures.delaysToPhone), ("browser", figures.delaysToBrowser)] {
                    for delay in delays { text += "\(kind.ends),\(subject.name),\(to),\(String(format: "%.3f", delay))\n" }
                }
            }
        }
        return text
    }
}
