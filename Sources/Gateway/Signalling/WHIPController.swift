import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import RTCStack
import SDP

/// WHIP (RFC 9725), both ways: `POST /whip/{to}` places a call, its session URL keeps and ends it.
struct WHIPController: Sendable {
    let sessions: WHIPSessions
    let iceServers: @Sendable () -> [ICEServer]

    func addRoutes(to router: some RouterMethods<SignallingContext>) {
        // The router prefers a literal to a capture: a destination that is called as the session URLs' folder needs its own line.
        for path in ["/whip/:to", "/whip/sessions"] {
            router.resource(RouterPath(path), [
                .post: { request, context in try await place(request, context) },
                .options: { _, _ in
                    Response(status: .noContent, headers: [.allow: "OPTIONS, POST", .acceptPost: MediaTypes.sdp])
                },
            ])
        }
        addSessionRoutes(to: router)
    }

    /// A call: answered as soon as a route exists, without waiting for the far end.
    private func place(_ request: Request, _ context: SignallingContext) async throws -> Response {
        guard MediaTypes.matches(request.headers[.contentType], MediaTypes.sdp) else {
            throw HTTPProblem(
                .unsupportedMediaType, "Send the offer as \(MediaTypes.sdp).", headers: [.acceptPost: MediaTypes.sdp])
        }
        guard MediaTypes.accepts(request.headers[.accept], MediaTypes.sdp) else {
            throw HTTPProblem(.notAcceptable, "The answer comes as \(MediaTypes.sdp); let Accept say so.")
        }
        let (to, parameters) = try Self.target(of: request, context)
        let sdp = try await Self.text(of: request)
        guard let ufrags = Self.ufrags(of: sdp) else {
            throw HTTPProblem(.badRequest, "The body is no session description (RFC 8866); send the browser's offer as it is.")
        }
        let result = await sessions.offer(
            to: to, sdp: sdp, parameters: parameters, source: context.remoteAddress?.logText ?? "unknown", browserUfrags: ufrags)
        switch result {
        case .failure(let refusal): throw HTTPProblem(refusal)
        case .success(let answer): return created(answer)
        }
    }

    private func created(_ answer: BrowserCallAnswer) -> Response {
        var headers: HTTPFields = [
            .contentType: MediaTypes.sdp,
            .location: "/whip/sessions/\(answer.call)",
            .eTag: WHIPSessions.entityTag(answer.iceUfrag),
            .acceptPatch: MediaTypes.trickleFragment,
            .cacheControl: "no-store",
        ]
        for link in iceServers().flatMap(\.links) {
            headers.append(HTTPField(name: .link, value: link))
        }
        return Response(status: .created, headers: headers, body: .init(byteBuffer: ByteBuffer(string: answer.sdp)))
    }

    /// The destination and what the page hands to the agent.
    private static func target(of request: Request, _ context: SignallingContext) throws -> (String, [String: String]) {
        do throws(CallParameters.Refusal) {
            let to = (context.parameters.get("to") ?? "sessions").removingPercentEncoding ?? ""
            try CallParameters.check(destination: to)
            return (to, try CallParameters.read(query: request.uri.query))
        } catch {
            throw HTTPProblem(.badRequest, error.detail)
        }
    }

    /// The body as text; more than 64 KiB is refused before it is read where the length is announced.
    static func text(of request: Request) async throws -> String {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > HTTPProblem.bodyLimit { throw HTTPProblem.tooLarge }
        let body: ByteBuffer
        do { body = try await request.body.collect(upTo: HTTPProblem.bodyLimit) } catch is NIOTooManyBytesError { throw HTTPProblem.tooLarge }
        guard let text = String(validating: body.readableBytesView, as: UTF8.self) else {
            throw HTTPProblem(.badRequest, "The body is not UTF-8.")
        }
        return text
    }

    /// The ICE username fragments an offer names; nil if it is no session description.
    private static func ufrags(of sdp: String) -> Set<String>? {
        guard let session = try? SessionDescription(parsing: sdp) else { return nil }
        return Set([session.iceUsernameFragment].compactMap { $0 } + session.media.compactMap(\.iceUsernameFragment))
    }
}

extension HTTPProblem {
    /// A call that was not taken.
    init(_ refusal: BrowserCallRefusal) {
        self.init(HTTPResponse.Status(code: refusal.httpStatus), refusal.detail, end: refusal.end)
    }
}
