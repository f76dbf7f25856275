import Logging

/// Writes what is logged as lines: swift-log's side of `LogLine`.
struct LogLineHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let format: Configuration.Log.Format
    private let output: LogOutput

    init(label: String, configuration: Configuration.Log, output: LogOutput) {
        self.label = label
        self.output = output
        format = configuration.format
        logLevel = configuration.level.level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var context = metadata
        if let provided = metadataProvider?.get() { context.merge(provided) { _, provided in provided } }
        var details = event.metadata ?? [:]
        if let error = event.error, details["error"] == nil { details["error"] = "\(error)" }
        let line = LogLine(
            time: .now, level: event.level, label: label, context: context, message: event.message.description, details: details)
        output.write(line.bytes(format))
    }
}
