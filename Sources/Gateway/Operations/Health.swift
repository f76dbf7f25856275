import NIOConcurrencyHelpers

/// What `/readyz` and `/metrics` answer from.
final class Health: GatewayHealth {
    private let ready = NIOLockedValueBox(true)
    private let metrics: GatewayMetrics

    init(metrics: GatewayMetrics) {
        self.metrics = metrics
    }

    var isReady: Bool {
        get { ready.withLockedValue { $0 } }
        set { ready.withLockedValue { $0 = newValue } }
    }

    func metricsText() async -> String { await metrics.text() }
}
