import HTTPTypes
import Hummingbird
import NIOHTTP1

/// Whether a request may become a signal socket, and what it is told if not.
struct SignalUpgrade: Sendable {
    static let path = "/signal"
    static let subprotocol = "tandem.signal.v1"

    let policy: OriginPolicy

    /// The header fields of the 101 answer; nil leaves the request to the router, which says what is wrong. What NIO's
    /// upgrader asks of a handshake is asked here as well, so that it never refuses one.
    func accept(_ head: HTTPRequestHead) -> HTTPHeaders? {
        guard head.method == .GET, head.uri.prefix(while: { $0 != "?" }) == Self.path,
            policy.verdict(origin: Self.single(head.headers["Origin"]), host: head.headers.first(name: "Host")) != .foreign,
            head.headers[canonicalForm: "Upgrade"].contains(where: { $0.lowercased() == "websocket" }),
            head.headers[canonicalForm: "Sec-WebSocket-Version"] == ["13"], head.headers["Sec-WebSocket-Key"].count == 1,
            head.headers[canonicalForm: "Sec-WebSocket-Protocol"].contains(where: { $0 == Self.subprotocol })
        else { return nil }
        return ["Sec-WebSocket-Protocol": Self.subprotocol]
    }

    /// What a request for the socket that did not become one is told; a foreign origin was refused before.
    func addRoutes(to router: some RouterMethods<SignallingContext>) {
        router.resource(RouterPath(Self.path), [.get: { request, _ in
            guard request.wantsUpgrade else {
                throw HTTPProblem(
                    .upgradeRequired, "This path speaks WebSocket with the subprotocol \(Self.subprotocol).",
                    headers: [.upgrade: "websocket"])
            }
            throw HTTPProblem(
                .badRequest, "Open a WebSocket (version 13) with the subprotocol \(Self.subprotocol), as the first request of its connection.")
        }])
    }

    /// Several fields are none that could be allowed.
    private static func single(_ values: [String]) -> String? {
        values.isEmpty ? nil : values.joined(separator: ", ")
    }
}
