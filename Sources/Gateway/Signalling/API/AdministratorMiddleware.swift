import HTTPTypes
import Hummingbird

/// Lets only administrators to what is behind it. Foreign pages were refused before.
struct AdministratorMiddleware: RouterMiddleware {
    typealias Context = SignallingContext

    let access: AdministratorAccess
    let policy: OriginPolicy

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        // A preflight carries no credentials (Fetch 3.2.2), and its answer says nothing.
        if request.method == .options { return try await next(request, context) }
        if !access.hasToken, case .allowed = policy.verdict(of: request) {
            // Whoever may call from another page is not therefore an administrator; only a token makes one.
            throw HTTPProblem(.forbidden, "Pages of other origins need a token here; set http.admin_token in tandem.yaml.")
        }
        guard access.administrator(request, context) != nil else { throw HTTPProblem.notAdministrator(hasToken: access.hasToken) }
        var response = try await next(request, context)
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        return response
    }
}

extension HTTPProblem {
    static func notAdministrator(hasToken: Bool) -> HTTPProblem {
        let detail =
            hasToken
            ? "Send the token of http.admin_token as Authorization: Bearer."
            : "Without http.admin_token in tandem.yaml this answers only to the gateway's own machine, asked directly as localhost."
        return HTTPProblem(.unauthorized, detail, headers: [.wwwAuthenticate: "Bearer realm=\"tandem\""])
    }
}
