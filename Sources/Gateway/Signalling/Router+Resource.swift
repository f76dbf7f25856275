import HTTPTypes
import Hummingbird

extension RouterMethods where Context == SignallingContext {
    typealias Handler = @Sendable (Request, SignallingContext) async throws -> Response

    /// Puts a resource at a path: the given methods, HEAD where there is GET, OPTIONS, and for the others 405 with `Allow`.
    func resource(_ path: RouterPath, _ handlers: [HTTPRequest.Method: Handler]) {
        var handlers = handlers
        if let get = handlers[.get] {
            handlers[.head] = { request, context in try await get(request, context).createHeadResponse() }
        }
        let allowed = Set(handlers.keys).union([.options]).map(\.rawValue).sorted().joined(separator: ", ")
        if handlers[.options] == nil {
            handlers[.options] = { _, _ in Response(status: .noContent, headers: [.allow: allowed]) }
        }
        let refuse: Handler = { _, _ in
            throw HTTPProblem(.methodNotAllowed, "This path answers only to \(allowed).", headers: [.allow: allowed])
        }
        let known: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options, .trace, .connect]
        for method in known {
            on(path, method: method, use: handlers[method] ?? refuse)
        }
    }
}
