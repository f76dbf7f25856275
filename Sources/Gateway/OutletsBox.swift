import NIOConcurrencyHelpers

/// Keeps hold of the outlets that are made while the switchboard is.
final class OutletsBox: Sendable {
    private let box = NIOLockedValueBox<GatewayOutlets?>(nil)

    var outlets: GatewayOutlets? { box.withLockedValue { $0 } }

    func make(
        loops: [MediaLoopDriver], webhooks: CallWebhooks, back: @escaping @Sendable (SwitchboardEvent) -> Void
    ) -> any SwitchboardOutlets {
        let made = GatewayOutlets(loops: loops, webhooks: webhooks, back: back)
        box.withLockedValue { $0 = made }
        return made
    }
}
