import HTTPTypes
import Hummingbird

/// Keeps foreign pages out of calls and lets allowed ones read the answers (CORS).
struct OriginMiddleware: RouterMiddleware {
    typealias Context = SignallingContext

    let policy: OriginPolicy
    /// What pages of allowed origins may do here.
    var methods = "POST, PATCH, DELETE, OPTIONS"

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        switch policy.verdict(of: request) {
        case .foreign:
            throw HTTPProblem.foreignOrigin
        case .none, .same:
            return try await next(request, context)
        case .allowed(let origin):
            // Refusals must be readable for the page as well, so they become responses here.
            var response: Response
            do { response = try await next(request, context) } catch let problem as HTTPProblem { response = problem.response }
            response.headers[.accessControlAllowOrigin] = origin
            response.headers[.accessControlExposeHeaders] = "Location, ETag, Link, Retry-After, Accept-Post, Accept-Patch"
            response.headers.append(HTTPField(name: .vary, value: "Origin"))
            if request.method == .options, request.headers[.accessControlRequestMethod] != nil {
                response.headers[.accessControlAllowMethods] = methods
                response.headers[.accessControlAllowHeaders] = "Content-Type, If-Match, If-None-Match, Authorization, Idempotency-Key"
                response.headers[.accessControlMaxAge] = "600"
            }
            return response
        }
    }
}

extension OriginPolicy {
    func verdict(of request: Request) -> Verdict {
        // HTTP/1's Host arrives as the request's authority.
        verdict(origin: request.headers[.origin], host: request.head.authority ?? request.headers[.host])
    }
}

extension HTTPProblem {
    static let foreignOrigin = HTTPProblem(
        .forbidden, "Pages of this origin may not call here; add the origin to http.origins of tandem.yaml.")
}
