import CShims

/// What went wrong in a row; the command fails with it.
struct BenchFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// One round of one side: set up, and ready to be timed once.
struct Round {
    /// The timed work.
    let work: () throws -> Void
    /// What it made, reduced to a number, read after the clock has stopped. Keeps the round's storage alive.
    let result: () -> Double

    init(result: @escaping () -> Double, work: @escaping () throws -> Void) {
        self.work = work
        self.result = result
    }

    /// For sides whose outputs must agree in every byte: 53 bits of the digest, which a Double holds exactly.
    init(digest: @escaping () -> UInt64, work: @escaping () throws -> Void) {
        self.init(result: { Double(digest() >> 11) }, work: work)
    }
}

/// One row of the table: the same work twice.
struct Comparison {
    enum Agreement {
        /// The outputs are the same bytes: the work was the same.
        case exact
        /// The outputs agree within this part of their size.
        case within(Double)
        /// The other side is a yardstick and does less or other work, as README.md says.
        case yardstick
    }

    let group: String
    let name: String
    /// Work items in a round: times are per item.
    let items: Int
    var rounds = 15
    var agreement = Agreement.exact
    let bare: () throws -> Round
    let ours: () throws -> Round

    /// Interleaved rounds, the sides taking turns to be first; one round before them warms both up.
    func run() throws -> Measurement {
        var measurement = Measurement()
        for round in 0...rounds {
            let times: (bare: Double, ours: Double)
            if round % 2 == 0 {
                let first = try time(bare)
                let second = try time(ours)
                try check(first.result, second.result)
                times = (first.nanoseconds, second.nanoseconds)
            } else {
                let first = try time(ours)
                let second = try time(bare)
                try check(second.result, first.result)
                times = (second.nanoseconds, first.nanoseconds)
            }
            if round > 0 { measurement.add(bare: times.bare / Double(items), ours: times.ours / Double(items)) }
        }
        return measurement
    }

    private func time(_ side: () throws -> Round) throws -> (nanoseconds: Double, result: Double) {
        let round = try side()
        let start = tandem_thread_cpu_nanoseconds()
        try round.work()
        let end = tandem_thread_cpu_nanoseconds()
        guard end > start else { throw BenchFailure("the thread's CPU clock does not move") }
        return (Double(end - start), round.result())
    }

    private func check(_ bare: Double, _ ours: Double) throws {
        switch agreement {
        case .exact:
            guard bare == ours else { throw BenchFailure("the outputs of both sides differ") }
        case .within(let part):
            guard abs(bare - ours) <= part * max(abs(bare), abs(ours)), ours != 0 else {
                throw BenchFailure("the outputs of both sides differ: \(bare) and \(ours)")
            }
        case .yardstick:
            guard bare != 0, ours != 0 else { throw BenchFailure("a side made nothing") }
        }
    }
}

/// Nanoseconds per item, round by round.
struct Measurement {
    private var bare: [Double] = []
    private var ours: [Double] = []

    mutating func add(bare: Double, ours: Double) {
        self.bare.append(bare)
        self.ours.append(ours)
    }

    var bareMinimum: Double { bare.min() ?? .nan }
    var oursMinimum: Double { ours.min() ?? .nan }
    /// The middle of the ratios of single rounds: what disturbs a round disturbs both of its sides.
    var ratioMedian: Double {
        let ratios = zip(ours, bare).map { $0 / $1 }.sorted()
        return ratios.isEmpty ? .nan : ratios[ratios.count / 2]
    }
    /// The best round of ours against the best of the bare loop.
    var ratioOfMinima: Double { oursMinimum / bareMinimum }
}
