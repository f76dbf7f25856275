import ArgumentParser
import Foundation
import Gateway

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the gateway until SIGTERM or SIGINT.")

    @OptionGroup var config: ConfigurationOption

    func run() async throws {
        let (configuration, plan, problems) = config.loadWithText()
        for problem in problems { printError(problem.description) }
        guard let configuration, let plan else { throw ExitStatus.configurationRefused.exit }
        do {
            try await Gateway.run(configuration: configuration, plan: plan, environment: ProcessInfo.processInfo.environment)
        } catch let error as ConfigurationRefused {
            printError("tandem: \(error)")
            throw ExitStatus.configurationRefused.exit
        } catch let error as AddressUnavailable {
            printError("tandem: \(error)")
            throw ExitStatus.addressUnavailable.exit
        } catch {
            // Whatever else stops it is no mistake on the command line.
            printError("tandem: \(error)")
            throw ExitStatus.negative.exit
        }
    }
}
