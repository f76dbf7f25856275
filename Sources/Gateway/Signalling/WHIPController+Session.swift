import HTTPTypes
import Hummingbird
import RTCStack

/// The session URL of a call: `PATCH` for candidates and ICE restarts, `DELETE` to hang up, 410 for a minute after the end.
extension WHIPController {
    func addSessionRoutes(to router: some RouterMethods<SignallingContext>) {
        let allowed = "DELETE, OPTIONS, PATCH"
        // RFC 9725 section 4.2 keeps these for later: refused while the call runs, like every method answered by its end after.
        let refuse: @Sendable (Request, SignallingContext) async throws -> Response = { _, context in
            _ = try running(context)
            throw HTTPProblem(.methodNotAllowed, "A session answers only to \(allowed).", headers: [.allow: allowed])
        }
        router.resource("/whip/sessions/:id", [
            .patch: { request, context in try await patch(request, context) },
            .delete: { _, context in
                let (call, _) = try running(context)
                sessions.hangUp(call)
                return Response(status: .ok, headers: [.cacheControl: "no-store"])
            },
            .options: { _, _ in
                Response(status: .noContent, headers: [.allow: allowed, .acceptPatch: MediaTypes.trickleFragment])
            },
            .get: refuse, .post: refuse, .put: refuse,
        ])
    }

    /// The running session of the path; else what its URL answers.
    private func running(_ context: SignallingContext) throws -> (CallID, WHIPSessionTable.Session) {
        guard let call = context.parameters.get("id").flatMap({ CallID($0) }) else { throw HTTPProblem.unknownSession }
        switch sessions.find(call) {
        case .running(let session): return (call, session)
        case .ended(let end): throw HTTPProblem(.gone, "The call is over: \(end.detail) Place a new one.", end: end)
        case .unknown: throw HTTPProblem.unknownSession
        }
    }

    private func patch(_ request: Request, _ context: SignallingContext) async throws -> Response {
        let (call, session) = try running(context)
        guard MediaTypes.matches(request.headers[.contentType], MediaTypes.trickleFragment) else {
            throw HTTPProblem(
                .unsupportedMediaType, "Send candidates and ICE restarts as \(MediaTypes.trickleFragment).",
                headers: [.acceptPatch: MediaTypes.trickleFragment])
        }
        guard let condition = request.headers[.ifMatch] else {
            throw HTTPProblem(.preconditionRequired, "Send If-Match with the ETag of the answer, or * for an ICE restart (RFC 9725 section 4.3).")
        }
        guard Self.matches(condition, session.entityTag) else {
            throw HTTPProblem(.preconditionFailed, "ICE was restarted since; send If-Match with the ETag of the last answer.")
        }
        let fragment = try Self.fragment(try await Self.text(of: request))
        guard let ufrag = fragment.ufrag, let password = fragment.password, !session.browserUfrags.contains(ufrag) else {
            // An ICE-lite agent needs no candidates: it answers where checks come from.
            return Response(status: .noContent, headers: [.eTag: session.entityTag, .cacheControl: "no-store"])
        }
        guard let restart = await sessions.restart(call, ufrag: ufrag, password: password) else {
            _ = try running(context)
            throw HTTPProblem.unknownSession
        }
        return Response(
            status: .ok,
            headers: [.contentType: MediaTypes.trickleFragment, .eTag: restart.entityTag, .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: restart.fragment)))
    }

    private static func fragment(_ text: String) throws -> TrickleFragment {
        do {
            return try TrickleFragment(parsing: text)
        } catch TrickleFragmentError.empty {
            throw HTTPProblem(.unprocessableContent, "The fragment has neither candidates nor ICE credentials; nothing else can be changed here.")
        } catch TrickleFragmentError.incompleteCredentials {
            throw HTTPProblem(.badRequest, "An ICE restart needs both a=ice-ufrag and a=ice-pwd.")
        } catch {
            throw HTTPProblem(.badRequest, "The body is no trickle fragment (RFC 8840 section 9).")
        }
    }

    /// `If-Match` (RFC 9110 section 13.1.1): `*`, or a list with the current tag; weak ones never match.
    private static func matches(_ condition: String, _ entityTag: String) -> Bool {
        condition.split(separator: ",").contains { element in
            let tag = element.drop { $0 == " " || $0 == "\t" }
            let trimmed = tag.prefix(tag.count - tag.reversed().prefix { $0 == " " || $0 == "\t" }.count)
            return trimmed == "*" || trimmed == entityTag
        }
    }
}

extension HTTPProblem {
    static let unknownSession = HTTPProblem(.notFound, "There is no such session; it ended more than a minute ago or never was.")
}
