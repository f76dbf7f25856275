import ArgumentParser
import Dialplan
import Foundation
import Gateway

/// The command line (CONTRACT 2).
@main
struct Tandem: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tandem",
        abstract: "Connects phone calls and browser calls to voice agents.",
        version: Gateway.version,
        subcommands: [ServeCommand.self, CheckCommand.self, RouteCommand.self])

    /// Runs one command. ArgumentParser's own `main` would print its usage below an error and take no command for a
    /// request for help; ours says one sentence and exits with 64.
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard let first = arguments.first else { usageError("no command given") }
        let names = configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
        let command = first == "help" ? arguments.dropFirst().first ?? first : first
        if !command.hasPrefix("-"), !names.contains(command) { usageError("unknown command “\(command)”") }
        do {
            let command = try parseAsRoot(arguments)
            try await run(command)
        } catch {
            finish(error)
        }
    }

    private static func run(_ command: any ParsableCommand) async throws {
        if let serve = command as? ServeCommand {
            try await serve.run()
        } else {
            var command = command
            try command.run()
        }
    }

    private static func finish(_ error: any Error) {
        if let status = error as? ExitCode { Foundation.exit(status.rawValue) }
        guard exitCode(for: error) == .success else { usageError(sentence(message(for: error))) }
        // Help and version were asked for.
        print(fullMessage(for: error))
    }

    private static func usageError(_ sentence: String) -> Never {
        FileHandle.standardError.write(Data("tandem: \(sentence); see tandem help\n".utf8))
        Foundation.exit(ExitStatus.usage.rawValue)
    }

    /// On one line and without its full stop.
    private static func sentence(_ message: String) -> String {
        let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        return line.hasSuffix(".") ? String(line.dropLast()) : line
    }
}

extension ExitStatus {
    /// What a command throws to end the process with this status.
    var exit: ExitCode { ExitCode(rawValue) }
}

/// Writes a line to standard error, where logs and problems go.
func printError(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
}

/// `--config FILE`, which every command takes.
struct ConfigurationOption: ParsableArguments {
    @Option(name: .customLong("config"), help: ArgumentHelp("The configuration file.", valueName: "file"))
    var path: String

    func load() -> (configuration: Configuration?, plan: Plan?, problems: [Problem]) {
        Configuration.load(path: path, environment: ProcessInfo.processInfo.environment)
    }

    /// With the text of the dial plan.
    func loadWithText() -> (configuration: Configuration?, plan: LoadedPlan?, problems: [Problem]) {
        Configuration.loadWithText(path: path, environment: ProcessInfo.processInfo.environment)
    }
}
