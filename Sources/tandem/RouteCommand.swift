import ArgumentParser
import Dialplan
import Foundation
import Gateway

struct RouteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "route", abstract: "Say where a call would go, and why.")

    @OptionGroup var config: ConfigurationOption

    @Option(help: ArgumentHelp("Where the call comes from: a trunk's name, browser or api.", valueName: "who"))
    var via: String?

    @Option(help: ArgumentHelp("The caller.", valueName: "number"))
    var from: String?

    @Option(help: ArgumentHelp("The number or name called.", valueName: "number"))
    var to: String?

    @Option(
        help: ArgumentHelp("When it comes, such as 2026-11-22T09:30:00+01:00; now if not given.", valueName: "time"),
        transform: { text in
            guard let time = RFC3339.parse(text) else { throw ValidationError("not a time such as 2026-11-22T09:30:00+01:00") }
            return time
        })
    var at: Date?

    @Option(
        name: .customLong("header"), help: ArgumentHelp("A SIP header of the call; may be repeated.", valueName: "name: value"),
        transform: { text in
            guard let colon = text.firstIndex(of: ":"), colon > text.startIndex else { throw ValidationError("not a header such as 'X-Queue: gold'") }
            return Header(
                name: text[..<colon].trimmingCharacters(in: .whitespaces),
                value: text[text.index(after: colon)...].trimmingCharacters(in: .whitespaces))
        })
    var headers: [Header] = []

    @Flag(help: "Write JSON.")
    var json = false

    @OptionGroup var past: ReplayOptions

    struct Header {
        let name: String
        let value: String
    }

    func validate() throws {
        let isReplay = past.replay != nil
        for (name, value) in [("--via <who>", via), ("--from <number>", from), ("--to <number>", to)] where (value == nil) != isReplay {
            throw ValidationError(isReplay ? "\(name.prefix { $0 != " " }) does not go with --replay" : "Missing expected argument '\(name)'")
        }
    }

    func run() throws {
        let (configuration, plan, problems) = config.load()
        for problem in problems { printError(problem.description) }
        guard let configuration, let plan else { throw ExitStatus.configurationRefused.exit }
        if let database = past.replay, let edited = past.plan {
            let report = try past.report(configuration, before: plan, database: database, plan: edited)
            return print(json ? try report.json() : report.text)
        }
        guard let via, let from, let to else { return }
        let source = Source(via)
        if case .trunk(let name) = source, configuration.trunk(named: name) == nil {
            throw ValidationError("--via must be a trunk's name, browser or api; there is no trunk “\(name)”")
        }
        let decision = plan.route(
            CallQuery(via: source, from: from, to: to, headers: headers.map { ($0.name, $0.value) }, time: at ?? Date()))
        let explanation = Explanation(decision)
        print(json ? try explanation.json() : explanation.text)
        if decision.isRefused { throw ExitStatus.negative.exit }
    }
}
