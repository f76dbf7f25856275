import Foundation

/// What a page may hand to the agent: at most 32 named values of 1 KiB each.
enum CallParameters {
    static let countLimit = 32
    /// Bytes of a name, and of a value.
    static let lengthLimit = 1024
    /// Bytes of a destination.
    static let destinationLimit = 256

    /// Why parameters cannot be taken: a sentence.
    struct Refusal: Error, Equatable {
        var detail: String
    }

    /// Reads the query of a URL as forms and URLSearchParams write it: `+` and `%20` are spaces. The last of equal names wins.
    static func read(query: String?) throws(Refusal) -> [String: String] {
        var parameters: [String: String] = [:]
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decode(parts[0]), let value = decode(parts.count > 1 ? parts[1] : "") else {
                throw Refusal(detail: "The query is not percent-encoded UTF-8.")
            }
            guard !name.isEmpty else { throw Refusal(detail: "A parameter of the query has no name.") }
            parameters[name] = value
            try check(parameters)
        }
        return parameters
    }

    static func check(_ parameters: [String: String]) throws(Refusal) {
        guard parameters.count <= countLimit else { throw Refusal(detail: "A call takes at most \(countLimit) parameters.") }
        guard parameters.allSatisfy({ $0.utf8.count <= lengthLimit && $1.utf8.count <= lengthLimit }) else {
            throw Refusal(detail: "The name and the value of a parameter may have at most \(lengthLimit) bytes.")
        }
    }

    static func check(destination: String) throws(Refusal) {
        guard !destination.isEmpty, destination.utf8.count <= destinationLimit,
            destination.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f })
        else {
            throw Refusal(detail: "Name the destination to call: a name or a number of at most \(destinationLimit) bytes.")
        }
    }

    private static func decode(_ text: Substring) -> String? {
        text.replacing("+", with: " ").removingPercentEncoding
    }
}
