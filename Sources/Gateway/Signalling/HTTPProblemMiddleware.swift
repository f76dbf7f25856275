import HTTPTypes
import Hummingbird
import Logging
import NIOHTTP1

/// The outermost layer: whatever goes wrong inside leaves as a problem document, and every answer forbids sniffing.
struct HTTPProblemMiddleware: RouterMiddleware {
    typealias Context = SignallingContext

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await answer(request, context: context, next: next)
        if response.headers[.xContentTypeOptions] == nil { response.headers[.xContentTypeOptions] = "nosniff" }
        // The parser takes nothing for HTTP that follows a request for another protocol.
        if request.wantsUpgrade { response.headers[.connection] = "close" }
        return response
    }

    private func answer(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let problem as HTTPProblem {
            return problem.response
        } catch let error as HTTPParserError {
            // The connection's own loop answers 400 and closes.
            throw error
        } catch let error as any HTTPResponseError {
            return Self.problem(of: error).response
        } catch {
            context.logger.error("a request failed", metadata: ["error": "\(error)", "path": "\(request.uri.path)"])
            return HTTPProblem(.internalServerError, "Something went wrong inside the gateway; its log says what.").response
        }
    }

    private static func problem(of error: any HTTPResponseError) -> HTTPProblem {
        switch error.status {
        case .notFound: HTTPProblem(.notFound, "There is nothing at this path; the demo page is at /, calls are placed at /whip/{to} or /signal.")
        case .contentTooLarge: .tooLarge
        default: HTTPProblem(error.status, "The request could not be answered: \(error.status.reasonPhrase).")
        }
    }
}

extension Request {
    /// Whether the request offered or asked for another protocol.
    var wantsUpgrade: Bool { headers[.upgrade] != nil || headers[.refusedUpgrade] != nil }
}

extension HTTPProblem {
    /// The largest body of a request, in bytes.
    static let bodyLimit = 64 * 1024

    static let tooLarge = HTTPProblem(.contentTooLarge, "The body may have at most 64 KiB.")
}
