import CBench
import Foundation

/// `make bench`: every row in order, printed as it is done. An argument picks the rows whose group or name contains it.
/// A number after it says how many calls there are at once. Exit status 1 if a row fails or none is picked.
@main
enum BenchCommand {
    static func main() {
        guard bench_is_optimised() == 1 else { fail("built without optimisation, which would compare compilers: use make bench") }
        if CommandLine.arguments.dropFirst().first == BareGateway.argument { BareGateway.run(CommandLine.arguments.dropFirst(2)) }
        if CommandLine.arguments.dropFirst().first == SoundRows.argument { recordSound(CommandLine.arguments.dropFirst(2)) }
        if CommandLine.arguments.dropFirst().first == BareAgentGateway.argument { BareAgentGateway.run(CommandLine.arguments.dropFirst(2)) }
        if CommandLine.arguments.dropFirst().first == EchoAgent.argument { EchoAgent.run() }
        if CommandLine.arguments.count == 3, CommandLine.arguments[1] == VoiceSteps.argument, let rate = Int(CommandLine.arguments[2]) {
            VoiceSteps.run(rate: rate)
        }
        if CommandLine.arguments.dropFirst().first == EchoSteps.argument { EchoSteps.run(rate: 8000) }
        if CommandLine.arguments.dropFirst().first == ConcealmentSteps.argument { ConcealmentSteps.run(Array(CommandLine.arguments.dropFirst(2))) }
        if CommandLine.arguments.dropFirst().first == CurveRows.argument { writeCurves(CommandLine.arguments.dropFirst(2)) }
        if CommandLine.arguments.dropFirst().first == SoakRows.argument { soak(CommandLine.arguments.dropFirst(2)) }
        let wanted = CommandLine.arguments.dropFirst().first
        print(Machine.description)
        let rows: [Comparison]
        do {
            rows = try (MediaRows.rows() + StageRows.rows() + EchoRows.rows() + ListeningRows.rows() + SignallingRows.rows() + DialplanRows.rows())
                .filter { isWanted($0.group + " " + $0.name, wanted) }
        } catch {
            fail("the rows could not be set up: \(error)")
        }
        let kinds = CallRows.Kind.allCases.filter { isWanted($0.title, wanted) }
        let wantsGrowth = isWanted(CallRows.growthTitle, wanted)
        let wantsAgentDelay = isWanted(AgentDelayRows.title, wanted)
        let wantsOverload = isWanted(OverloadRows.title, wanted)
        let wantsAllocations = isWanted(AllocationRows.title, wanted)
        let wantsCrank = isWanted(CrankRows.title, wanted)
        let wantsCalls = !kinds.isEmpty || wantsGrowth || wantsAgentDelay || wantsOverload || wantsAllocations
        guard !rows.isEmpty || wantsCalls || wantsCrank else { fail("no row contains “\(wanted ?? "")”") }
        var group = ""
        for row in rows {
            if row.group != group {
                group = row.group
                print("\n\(padded(group, 58)) ratio   best    bare µs    ours µs")
            }
            do {
                print(line(row.name, try row.run()))
                // Into a pipe too, row by row, and before what a failure says.
                fflush(nil)
            } catch {
                fail("“\(row.name)” failed: \(error)")
            }
        }
        if !rows.isEmpty {
            print("\nratio: ours by the bare side, median of the rounds. best: the fastest round of each. µs: those fastest rounds, to see the size.")
            fflush(nil)
        }
        do {
            if wantsCrank { try CrankRows.run() }
            guard wantsCalls else { return }
            try CallRows.run(
                kinds, callCount: CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? CallRows.usualCallCount,
                growth: wantsGrowth, agentDelay: wantsAgentDelay, overload: wantsOverload, allocations: wantsAllocations)
        } catch {
            fail("the calls failed: \(error)")
        }
    }

    /// `Bench sound SPEECH FOLDER`: what scripts/bench-sound.sh needs.
    private static func recordSound(_ arguments: some Collection<String>) -> Never {
        let words = Array(arguments)
        guard words.count == 2 else { fail("usage: Bench sound SPEECH.wav FOLDER") }
        do {
            try SoundRows.run(speech: words[0], folder: words[1])
        } catch {
            fail("“\(SoundRows.argument)” failed: \(error)")
        }
        exit(0)
    }

    /// `Bench curves FOLDER`: what scripts/bench-plots.sh needs.
    private static func writeCurves(_ arguments: some Collection<String>) -> Never {
        guard let folder = arguments.first else { fail("usage: Bench curves FOLDER") }
        do {
            try CallRows.prepared { try CurveRows(rows: $0, folder: URL(fileURLWithPath: folder)).run() }
        } catch {
            fail("“\(CurveRows.argument)” failed: \(error)")
        }
        exit(0)
    }

    /// `Bench soak [MINUTES]`: `make soak`.
    private static func soak(_ arguments: some Collection<String>) -> Never {
        guard let minutes = Double(arguments.first ?? "10"), minutes > 0 else { fail("usage: Bench soak [MINUTES]") }
        print(Machine.description)
        do {
            try CallRows.prepared { try SoakRows(rows: $0, minutes: minutes).run() }
        } catch {
            fail("the soak failed: \(error)")
        }
        exit(0)
    }

    private static func isWanted(_ name: String, _ wanted: String?) -> Bool { wanted.map { name.localizedCaseInsensitiveContains($0) } ?? true }

    private static func line(_ name: String, _ measurement: Measurement) -> String {
        let figures = String(
            format: "%6.2f %6.2f %10.3f %10.3f", measurement.ratioMedian, measurement.ratioOfMinima, measurement.bareMinimum / 1000,
            measurement.oursMinimum / 1000)
        return "  \(padded(name, 56))\(figures)"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    private static func fail(_ reason: String) -> Never {
        FileHandle.standardError.write(Data("bench: \(reason)\n".utf8))
        exit(1)
    }
}
