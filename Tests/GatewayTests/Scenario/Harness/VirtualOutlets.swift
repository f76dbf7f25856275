import NIOCore
import SIPStack

@testable import Gateway

/// Carries the switchboard's decisions out on virtual time: in the order they were made, each before the next event.
final class VirtualOutlets: SwitchboardOutlets, @unchecked Sendable {
    enum Work {
        case sip(@Sendable (inout SIPEndpoint, NIODeadline, inout [SIPOutput]) -> Void)
        case media(Int, @Sendable (MediaLoop, NIODeadline) -> Void)
        case event(SwitchboardEvent)
    }

    /// Set once, at the start.
    let loopCount: Int
    private var queue: [Work] = []

    init(loopCount: Int) { self.loopCount = loopCount }

    func sip(_ body: @escaping @Sendable (inout SIPEndpoint, NIODeadline, inout [SIPOutput]) -> Void) { queue.append(.sip(body)) }

    func media(_ loop: Int, _ body: @escaping @Sendable (MediaLoop, NIODeadline) -> Void) { queue.append(.media(loop, body)) }

    func background(_ work: @escaping @Sendable () -> Void) { work() }

    /// What whoever ordered calls was told.
    private(set) var notices: [CallNotice] = []

    func notify(_ notice: CallNotice) { notices.append(notice) }

    /// What the web answers.
    var web: (WebRequest) -> Result<[UInt8], WebRequest.Failure> = { _ in .failure(WebRequest.Failure(reason: "it does not exist")) }

    /// While set, it takes its time.
    var holdsWeb = false {
        didSet {
            guard !holdsWeb else { return }
            let late = held
            held = []
            for (request, done) in late { done(web(request)) }
        }
    }
    private var held: [(WebRequest, @Sendable (Result<[UInt8], WebRequest.Failure>) -> Void)] = []

    func fetch(_ request: WebRequest, done: @escaping @Sendable (Result<[UInt8], WebRequest.Failure>) -> Void) {
        if holdsWeb { held.append((request, done)) } else { done(web(request)) }
    }

    func post(_ event: SwitchboardEvent) { queue.append(.event(event)) }

    var isEmpty: Bool { queue.isEmpty }

    func takeAll() -> [Work] {
        defer { queue = [] }
        return queue
    }
}
