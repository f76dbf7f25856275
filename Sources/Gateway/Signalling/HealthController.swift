import HTTPTypes
import Hummingbird

/// Whether the gateway lives, whether it takes calls, and its figures.
struct HealthController: Sendable {
    let health: any GatewayHealth

    private struct Status: Encodable {
        var status: String
    }

    func addRoutes(to router: some RouterMethods<SignallingContext>) {
        router.resource("/healthz", [.get: { _, _ in Self.json("ok") }])
        router.resource("/readyz", [.get: { [health] _, _ in
            guard health.isReady else {
                throw HTTPProblem(.serviceUnavailable, "The gateway takes no new calls: it is shutting down. Send calls to another one.")
            }
            return Self.json("ready")
        }])
        router.resource("/metrics", [.get: { [health] _, _ in
            Response(
                status: .ok, headers: [.contentType: MediaTypes.prometheus, .cacheControl: "no-store"],
                body: .init(byteBuffer: ByteBuffer(string: await health.metricsText())))
        }])
    }

    private static func json(_ status: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: MediaTypes.json, .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: JSONText.encode(Status(status: status)))))
    }
}
