import Logging

/// One line of the log, in either format.
///
/// Whatever a peer put into a message or a value stays inside its line and its place: line breaks, control characters and
/// what reorders text on a screen are escaped.
struct LogLine {
    var time: LogTime
    var level: Logger.Level
    /// Which part of the process speaks.
    var label: String
    /// What the logger carries: call, leg, trunk.
    var context: Logger.Metadata
    var message: String
    /// What goes with this message; stands before the context's value of the same name.
    var details: Logger.Metadata

    /// Names of a JSON line's own members; metadata of that name gets an underscore behind it.
    private static let members: Set<String> = ["time", "level", "label", "message"]

    /// The line in UTF-8 with its line break.
    func bytes(_ format: Configuration.Log.Format) -> [UInt8] {
        var line = switch format {
        case .text: text
        case .json: json
        }
        line.append("\n")
        return Array(line.utf8)
    }

    /// `2026-11-22T18:00:00.123Z info call=…: message key=value`
    private var text: String {
        var line = "\(time) \(level)"
        append(context.filter { details[$0.key] == nil }, to: &line)
        line.append(": ")
        LogText.appendEscaped(message, to: &line)
        append(details, to: &line)
        return line
    }

    private func append(_ metadata: Logger.Metadata, to line: inout String) {
        for (name, value) in metadata.sorted(by: { $0.key < $1.key }) {
            line.append(" ")
            LogText.appendWord(name, to: &line)
            line.append("=")
            switch value {
            case .string(let text): LogText.appendWord(text, to: &line)
            case .stringConvertible(let value): LogText.appendWord(value.description, to: &line)
            case .array, .dictionary: Self.appendJSON(value, to: &line)
            }
        }
    }

    /// `{"time":"…","level":"info","label":"…","message":"…","call":"…"}`
    private var json: String {
        var line = #"{"time":"\#(time)","level":"\#(level)","label":"#
        LogText.appendQuoted(label, to: &line)
        line.append(#","message":"#)
        LogText.appendQuoted(message, to: &line)
        for (name, value) in context.merging(details, uniquingKeysWith: { $1 }).sorted(by: { $0.key < $1.key }) {
            line.append(",")
            LogText.appendQuoted(Self.members.contains(name) ? name + "_" : name, to: &line)
            line.append(":")
            Self.appendJSON(value, to: &line)
        }
        line.append("}")
        return line
    }

    private static func appendJSON(_ value: Logger.MetadataValue, to line: inout String) {
        switch value {
        case .string(let text): LogText.appendQuoted(text, to: &line)
        case .stringConvertible(let value): LogText.appendQuoted(value.description, to: &line)
        case .array(let values):
            line.append("[")
            for (place, value) in values.enumerated() {
                if place > 0 { line.append(",") }
                appendJSON(value, to: &line)
            }
            line.append("]")
        case .dictionary(let members):
            line.append("{")
            for (place, (name, value)) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if place > 0 { line.append(",") }
                LogText.appendQuoted(name, to: &line)
                line.append(":")
                appendJSON(value, to: &line)
            }
            line.append("}")
        }
    }
}
