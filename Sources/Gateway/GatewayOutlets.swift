import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SIPStack

/// Carries the switchboard's decisions to the threads that do them.
final class GatewayOutlets: SwitchboardOutlets {
    private let driver = NIOLockedValueBox<SIPDriver?>(nil)
    private let loops: [MediaLoopDriver]
    private let webhooks: CallWebhooks
    private let back: @Sendable (SwitchboardEvent) -> Void

    init(loops: [MediaLoopDriver], webhooks: CallWebhooks, back: @escaping @Sendable (SwitchboardEvent) -> Void) {
        self.loops = loops
        self.webhooks = webhooks
        self.back = back
    }

    /// The SIP side, which is started after the switchboard it reports to.
    func attach(_ sip: SIPDriver) { driver.withLockedValue { $0 = sip } }

    func sip(_ body: @escaping @Sendable (inout SIPEndpoint, NIODeadline, inout [SIPOutput]) -> Void) {
        driver.withLockedValue { $0 }?.perform(body)
    }

    func media(_ loop: Int, _ body: @escaping @Sendable (MediaLoop, NIODeadline) -> Void) { loops[loop].execute(body) }

    func background(_ work: @escaping @Sendable () -> Void) { NIOThreadPool.singleton.submit { _ in work() } }

    func notify(_ notice: CallNotice) { webhooks.send(notice) }

    func fetch(_ request: WebRequest, done: @escaping @Sendable (Result<[UInt8], WebRequest.Failure>) -> Void) {
        WebClient.fetch(request, done: done)
    }

    func post(_ event: SwitchboardEvent) { back(event) }

    var loopCount: Int { loops.count }
}
