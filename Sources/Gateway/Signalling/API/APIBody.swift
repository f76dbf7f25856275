import Hummingbird

/// The members of a JSON object that came as a body, each taken once; what is left over is refused, as in queries. `null` is as
/// good as nothing.
struct APIBody {
    private var members: [String: JSONValue]

    /// - Parameter shape: what the body is to have, for the refusal.
    /// - Throws: `HTTPProblem` 400, 413 or 415.
    init(_ request: Request, shape: String) async throws {
        guard MediaTypes.mayBe(request.headers[.contentType], [MediaTypes.json]) else {
            throw HTTPProblem(.unsupportedMediaType, "Send \(MediaTypes.json).")
        }
        let body = try await APIResponse.body(of: request, limit: HTTPProblem.bodyLimit)
        guard case .object(let members)? = JSONValue(parsing: String(decoding: body, as: UTF8.self)) else {
            throw HTTPProblem(.badRequest, "Send a JSON object with \(shape).")
        }
        self.members = members.filter { $0.value != .null }
    }

    mutating func text(_ name: String) throws -> String {
        guard let text = try optionalText(name), !text.isEmpty else { throw HTTPProblem(.badRequest, "\(name) must be there, and text.") }
        return text
    }

    mutating func optionalText(_ name: String) throws -> String? {
        guard let value = members.removeValue(forKey: name) else { return nil }
        guard let text = value.text else { throw HTTPProblem(.badRequest, "\(name) must be text.") }
        return text
    }

    mutating func integer(_ name: String, in range: ClosedRange<Int64>) throws -> Int? {
        guard let value = members.removeValue(forKey: name) else { return nil }
        guard case .integer(let number) = value, range.contains(number) else {
            throw HTTPProblem(.badRequest, "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return Int(number)
    }

    mutating func flag(_ name: String) throws -> Bool? {
        guard let value = members.removeValue(forKey: name) else { return nil }
        guard case .bool(let flag) = value else { throw HTTPProblem(.badRequest, "\(name) must be true or false.") }
        return flag
    }

    /// An object of texts.
    mutating func texts(_ name: String) throws -> [String: String] {
        guard let value = members.removeValue(forKey: name) else { return [:] }
        let refusal = HTTPProblem(.badRequest, "\(name) must be an object of names and texts.")
        guard case .object(let items) = value else { throw refusal }
        return try items.mapValues { item in
            guard let text = item.text else { throw refusal }
            return text
        }
    }

    func finish() throws {
        if let name = members.keys.sorted().first {
            throw HTTPProblem(.badRequest, "“\(name.prefix(40))” is unknown here; see /api/v1/openapi.json.")
        }
    }
}
