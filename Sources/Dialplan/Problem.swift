/// One thing that is wrong with a configuration or dial plan file, and where.
public struct Problem: Sendable, Equatable, CustomStringConvertible {
    /// An error refuses the file; a warning only wants to be read.
    public enum Severity: String, Sendable {
        case error
        case warning
    }

    /// The path as the operator gave it.
    public let file: String
    /// 1-based.
    public let line: Int
    /// 1-based, counted in Unicode scalars.
    public let column: Int
    public let severity: Severity
    /// One sentence without the place, and never a secret's text.
    public let message: String

    public init(file: String, line: Int, column: Int, severity: Severity = .error, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.severity = severity
        self.message = message
    }

    /// The same problem as an error, for those who want no warnings.
    public var asError: Problem {
        Problem(file: file, line: line, column: column, severity: .error, message: message)
    }

    /// `file:line:column: error: message`
    public var description: String {
        "\(file):\(line):\(column): \(severity.rawValue): \(message)"
    }
}

/// Collects the problems of one file, so that a reader reports everything it finds instead of stopping at the first.
public final class ProblemList {
    /// A file of nothing but mistakes should not print a book.
    public static let limit = 200

    public let file: String
    public private(set) var all: [Problem] = []
    public private(set) var hasErrors = false

    public init(file: String) {
        self.file = file
    }

    public func error(_ message: String, line: Int, column: Int) {
        add(.error, message, line, column)
    }

    public func error(_ message: String, at node: YAMLNode) {
        add(.error, message, node.line, node.column)
    }

    public func warning(_ message: String, at node: YAMLNode) {
        add(.warning, message, node.line, node.column)
    }

    /// In the order of the file, errors and warnings mixed.
    public var sorted: [Problem] {
        all.enumerated().sorted { left, right in
            (left.element.line, left.element.column, left.offset) < (right.element.line, right.element.column, right.offset)
        }.map(\.element)
    }

    private func add(_ severity: Problem.Severity, _ message: String, _ line: Int, _ column: Int) {
        hasErrors = hasErrors || severity == .error
        if all.count < Self.limit {
            all.append(Problem(file: file, line: line, column: column, severity: severity, message: message))
        } else if severity == .error, !all.contains(where: { $0.severity == .error }) {
            // Warnings alone filled the list: the error that refuses the file must still be seen.
            all[Self.limit - 1] = Problem(file: file, line: line, column: column, severity: .error, message: message)
        }
    }
}
