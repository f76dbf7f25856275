import Foundation

/// Twice as many calls as a gateway has time for: whom it takes, and what becomes of those.
struct OverloadRows {
    static let title = "calls, overload"
    /// Calls by which it is found out how many a gateway has time for.
    private static let sample = 20
    private static let seconds: Int64 = 8
    /// What the generator is good for.
    private static let most = 400

    /// Each with the processors that it may use, and how it is made for so many calls.
    let gateways: [(cores: Double, make: (Int) throws -> any CallSubject)]

    func run() throws {
        print("\n\(Self.title): twice the calls there is time for, one every 40 ms, browser ↔ trunk; then \(Self.seconds) s of talk")
        print("                      time for    offered   admitted        503   never up       lost   delay to phone, ms: p50 / p99")
        var late = 0
        for gateway in gateways {
            let subject = try gateway.make(Self.sample)
            let cost = try CallLoad(subject: subject, seconds: 3).run().cpuPerCallSecond
            let capacity = gateway.cores * 1000 / cost
            let figures = try offer(min(Self.most, Int(2 * capacity)), through: gateway.make)
            late += figures.late
            show(subject.name, capacity, figures)
        }
        print("  time for: by the CPU time of \(Self.sample) calls; the generator sent \(late) frames more than 5 ms late")
        fflush(nil)
    }

    private func offer(_ count: Int, through make: (Int) throws -> any CallSubject) throws -> OverloadFigures {
        try OverloadLoad(subject: try make(count), seconds: Self.seconds).run()
    }

    private func show(_ name: String, _ capacity: Double, _ figures: OverloadFigures) {
        let lost = 100 * Double(figures.lost) / Double(max(1, figures.sent))
        print(
            "  " + name.padding(toLength: 18, withPad: " ", startingAt: 0)
                + String(
                    format: "%10.0f %10d %10d %10d %10d %9.3f%%   ", capacity, figures.offered, figures.admitted,
                    figures.offered - figures.admitted, figures.neverUp, lost) + CallTable.delays(figures.delays))
        fflush(nil)
    }
}
