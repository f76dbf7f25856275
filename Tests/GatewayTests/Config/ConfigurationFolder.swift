import Dialplan
import Foundation

@testable import Gateway

/// A folder of its own with a configuration, removed with the value.
final class ConfigurationFolder {
    let path: String

    init(_ files: [String: String]) throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("tandem-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for (name, text) in files {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func load(_ name: String = "tandem.yaml", environment: [String: String] = [:]) -> Loaded {
        let (configuration, plan, problems) = Configuration.load(path: "\(path)/\(name)", environment: environment)
        return Loaded(
            configuration: configuration, plan: plan,
            problems: problems.map { $0.description.replacingOccurrences(of: path + "/", with: "") })
    }

    /// Loads a configuration beside an empty dial plan.
    static func load(_ text: String, environment: [String: String] = [:], _ files: [String: String] = [:]) throws -> Loaded {
        let folder = try ConfigurationFolder(
            files.merging(["tandem.yaml": text, "dialplan.yaml": ""]) { given, _ in given })
        return folder.load(environment: environment)
    }

    struct Loaded {
        let configuration: Configuration?
        let plan: Plan?
        /// As printed, without the folder.
        let problems: [String]
    }
}
