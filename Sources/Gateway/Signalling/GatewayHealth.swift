/// What the health and metrics paths say of the gateway; whoever wires the gateway together implements it.
protocol GatewayHealth: Sendable {
    /// Whether new calls are taken: false while draining, then `/readyz` answers 503.
    var isReady: Bool { get }
    /// Every metric in the Prometheus text format 0.0.4, each line ended.
    func metricsText() async -> String
}
