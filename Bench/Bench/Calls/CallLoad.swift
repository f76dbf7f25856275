import CBench
import Glibc
import NIOCore

/// Puts all calls through one gateway, measures while all of them talk, and hangs up.
struct CallLoad {
    /// Between one call and the next.
    private static let pace = TimeAmount.milliseconds(40)
    /// How long every call may take to come up.
    private static let patience = TimeAmount.seconds(10)
    /// From the last call that is up to the window, so that codecs, jitter buffers and caches are at work as usual.
    private static let usualWarmUp = TimeAmount.milliseconds(1500)

    private static let turnLength = TimeAmount.microseconds(1007)

    let subject: any CallSubject
    let seconds: Int64
    var warmUp = Self.usualWarmUp
    /// Called at the beginning and at the end of the window.
    var atEdge: () throws -> Void = {}

    func run() throws -> CallFigures {
        let idle = try subject.process.anonymousMemory()
        try connectAll()
        try turn(for: warmUp)
        let legs = subject.calls.flatMap(\.legs)
        try atEdge()
        legs.forEach { $0.beginWindow() }
        let (start, startCPU, ownCPU) = (NIODeadline.now(), try subject.process.cpuTime(), ownCPUTime)
        try turn(for: .seconds(seconds))
        try atEdge()
        let (cpu, own) = (try subject.process.cpuTime() - startCPU, ownCPUTime - ownCPU)
        let callSeconds = Double((NIODeadline.now() - start).nanoseconds) / 1e9 * Double(subject.calls.count)
        let figures = CallFigures(
            calls: subject.calls, cpuPerCallSecond: cpu / 1e6 / callSeconds, ownCPUPerCallSecond: own / 1e6 / callSeconds,
            memoryPerCall: (try subject.process.anonymousMemory() - idle) / 1024 / Double(subject.calls.count))
        legs.forEach { $0.end() }
        for call in subject.calls { try subject.disconnect(call, meanwhile: meanwhile) }
        try turn(for: .milliseconds(100))
        guard figures.silent.isEmpty else { throw subject.process.failure("\(subject.name): \(figures.silent.joined(separator: ", "))") }
        return figures
    }

    private func connectAll() throws {
        for call in subject.calls {
            try subject.connect(call, now: .now(), meanwhile: meanwhile)
            try turn(for: Self.pace)
        }
        let end = NIODeadline.now() + Self.patience
        while let call = subject.calls.first(where: { !$0.isReady }) {
            if let reason = call.legs.compactMap(\.transport.failure).first { throw subject.process.failure("call \(call.number): \(reason)") }
            guard NIODeadline.now() < end else {
                let state = [("browser", call.browser), ("phone", call.phone)]
                    .compactMap { name, leg in leg.map { "\(name) \($0.isReady ? "up" : "not up")" } }.joined(separator: ", ")
                throw subject.process.failure("call \(call.number) did not come up: \(state)")
            }
            try turn(for: .milliseconds(10))
        }
    }

    /// Sound goes on, at about one turn a millisecond. A gateway turns once a millisecond too; were ours as long, the two would keep
    /// for a whole round the phase they happen to begin with, and whether the one must wake the other's processor is half the cost
    /// of a small packet. So that every round sees every phase, ours are a little longer.
    func turn(for time: TimeAmount) throws {
        let end = NIODeadline.now() + time
        var next = NIODeadline.now()
        while next < end {
            try turnOnce()
            // Behind its time it goes on at once, without repeating the turns it missed.
            next = max(next + Self.turnLength, .now())
            bench_sleep_until(Int64(next.uptimeNanoseconds))
        }
    }

    private func turnOnce() throws {
        try subject.poll()
        let now = NIODeadline.now()
        for call in subject.calls {
            if call.isReady, !call.hasBegun { call.begin(now: now) }
            for leg in call.legs { leg.turn(now: now) }
        }
    }

    /// For those who wait for an answer that may need us, as a call out needs the carrier's. A failure shows in the next turn.
    func meanwhile() { try? turnOnce() }

    /// Nanoseconds.
    private var ownCPUTime: Double { Double(bench_process_cpu_nanoseconds(getpid())) }
}
