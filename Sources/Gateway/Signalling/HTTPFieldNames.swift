import HTTPTypes

/// Header fields that HTTPTypes has no name for. The names are constants, so the unwrapping cannot fail.
extension HTTPField.Name {
    static let acceptPost = HTTPField.Name("Accept-Post")!
    static let acceptPatch = HTTPField.Name("Accept-Patch")!
    static let link = HTTPField.Name("Link")!
    static let refusedUpgrade = HTTPField.Name(FirstRequestGuard.refusedField)!
    static let host = HTTPField.Name("Host")!
    static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
}

/// The media types this gateway speaks, as they stand in header fields.
enum MediaTypes {
    static let sdp = "application/sdp"
    static let trickleFragment = "application/trickle-ice-sdpfrag"
    static let json = "application/json"
    static let problem = "application/problem+json"
    static let csv = "text/csv"
    static let yaml = "application/yaml"
    static let prometheus = "text/plain; version=0.0.4; charset=utf-8"

    /// Whether a `Content-Type` names `type`; parameters such as a charset do not count (RFC 9110 section 8.3).
    static func matches(_ field: String?, _ type: String) -> Bool {
        guard let field else { return false }
        return mediaRange(field[...]) == type
    }

    /// Whether a body may be of one of `types`: it says so, or says nothing, or what tools say who do not know (curl names every
    /// body a form). What it really is shows when it is read.
    static func mayBe(_ field: String?, _ types: [String]) -> Bool {
        guard let field else { return true }
        return (types + ["application/x-www-form-urlencoded", "application/octet-stream"]).contains { matches(field, $0) }
    }

    /// Whether an `Accept` field lets `type` through (RFC 9110 section 12.5.1); none does.
    static func accepts(_ field: String?, _ type: String) -> Bool {
        guard let field else { return true }
        let group = type.prefix { $0 != "/" } + "/*"
        return field.split(separator: ",").contains { element in
            let range = mediaRange(element)
            return range == type || range == group || range == "*/*"
        }
    }

    private static func mediaRange(_ text: Substring) -> String {
        text.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
    }
}
