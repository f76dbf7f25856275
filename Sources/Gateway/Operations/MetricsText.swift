/// Writes metrics in the Prometheus text format 0.0.4.
struct MetricsText {
    private(set) var text = ""

    enum Kind: String {
        case gauge, counter, histogram
    }

    /// One metric with its help line; `samples` are label sets ("" for none) and values.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: [(labels: String, value: Double)]) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        for sample in samples {
            let labels = sample.labels.isEmpty ? "" : "{\(sample.labels)}"
            text += "\(name)\(labels) \(Self.number(sample.value))\n"
        }
    }

    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: some BinaryInteger) {
        add(name, kind, help, [("", Double(value))])
    }

    /// A histogram.
    /// - Parameters:
    ///   - buckets: upper bounds, and how many values are not above each
    mutating func add(_ name: String, _ help: String, buckets: [(bound: Double, count: Int)], count: Int, sum: Double) {
        add(name, .histogram, help, [])
        for bucket in buckets { text += "\(name)_bucket{le=\"\(Self.number(bucket.bound))\"} \(bucket.count)\n" }
        text += "\(name)_bucket{le=\"+Inf\"} \(count)\n\(name)_sum \(Self.number(sum))\n\(name)_count \(count)\n"
    }

    /// A label's value as the format wants it.
    static func escaped(_ value: String) -> String {
        String(value.flatMap { character -> String in
            switch character {
            case "\\": "\\\\"
            case "\"": "\\\""
            case "\n": "\\n"
            default: String(character)
            }
        })
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    }
}
