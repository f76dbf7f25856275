import NIOCore
import SIPStack

/// Where the switchboard's decisions go. In production other threads do them; on virtual time they are done at once.
protocol SwitchboardOutlets: Sendable {
    func sip(_ body: @escaping @Sendable (inout SIPEndpoint, NIODeadline, inout [SIPOutput]) -> Void)
    func media(_ loop: Int, _ body: @escaping @Sendable (MediaLoop, NIODeadline) -> Void)
    /// Does something that may take its time, such as reading a file, beside everything else.
    func background(_ work: @escaping @Sendable () -> Void)
    /// Tells whoever ordered a call what it does.
    func notify(_ notice: CallNotice)
    /// Asks a foreign HTTP server; `done` is called once, on any thread.
    func fetch(_ request: WebRequest, done: @escaping @Sendable (Result<[UInt8], WebRequest.Failure>) -> Void)
    /// Comes back as an event, after those before it.
    func post(_ event: SwitchboardEvent)
    var loopCount: Int { get }
}
