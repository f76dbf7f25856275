import ArgumentParser
import Dialplan
import Foundation
import Gateway

/// `tandem route --replay calls.db --plan new.yaml`: recorded calls through an edited plan.
struct ReplayOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Send recorded calls of this database through --plan instead.", valueName: "calls.db"))
    var replay: String?

    @Option(help: ArgumentHelp("The edited dial plan.", valueName: "file"))
    var plan: String?

    @Option(help: ArgumentHelp("How many of the last calls; 1000 if not given.", valueName: "number"))
    var last: Int?

    static let standardLast = 1000

    func validate() throws {
        guard replay != nil else {
            guard plan == nil, last == nil else { throw ValidationError("--plan and --last go with --replay") }
            return
        }
        guard plan != nil else { throw ValidationError("--replay needs --plan, the edited dial plan") }
        guard last.map({ $0 > 0 }) ?? true else { throw ValidationError("--last must be 1 or more") }
    }

    /// What would go elsewhere, compared with the plan in force.
    /// - Throws: `ExitCode` 78 if a plan is broken or the database cannot be read.
    func report(_ configuration: Configuration, before: Plan, database: String, plan path: String) throws -> WhatIfReport {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            printError("\(path):1:1: error: cannot be read")
            throw ExitStatus.configurationRefused.exit
        }
        var configuration = configuration
        // Files beside the edited plan are meant by it.
        configuration.dialplan = path
        let (after, problems) = Plan.load(bytes: Array(bytes), file: path, context: configuration.planContext)
        for problem in problems { printError(problem.description) }
        guard let after else { throw ExitStatus.configurationRefused.exit }
        do {
            return WhatIf.compare(calls: try PastCalls.read(database: database, last: last ?? Self.standardLast), before: before, after: after)
        } catch {
            printError("tandem: \(error)")
            throw ExitStatus.configurationRefused.exit
        }
    }
}

extension WhatIfReport {
    /// As `POST /api/v1/dialplan/what-if` answers.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
