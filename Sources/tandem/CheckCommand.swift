import ArgumentParser
import Gateway

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check the configuration and the dial plan, and run the dial plan's tests.")

    @OptionGroup var config: ConfigurationOption

    @Flag(help: "Take every warning for an error.")
    var strict = false

    func run() throws {
        let (configuration, plan, found) = config.load()
        let problems = strict ? found.map(\.asError) : found
        for problem in problems { print(problem) }
        guard configuration != nil, let plan, !problems.contains(where: { $0.severity == .error }) else {
            throw ExitStatus.configurationRefused.exit
        }
        print("\(config.path) is good: \(count(plan.routes.count, "route")), \(count(plan.testCount, "test")) passed")
    }

    private func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
