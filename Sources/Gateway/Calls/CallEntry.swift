import Dialplan
import Foundation
import Logging
import SIPStack

/// What the switchboard keeps of a call while it lasts.
struct CallEntry {
    enum Caller {
        case trunk(SIPCallID, trunk: String)
        case browser(observer: @Sendable (BrowserCallEvent) -> Void)
    }

    let id: CallID
    let loop: Int
    let caller: Caller
    let decision: RouteDecision
    let parameters: [String: String]
    let logger: Logger
    let startedAt: Date
    var call: Call
    /// Our description for the phone, until it is sent.
    var description: String?
    /// Waits for the answer of a browser's call.
    var reply: SwitchboardEvent.BrowserReply?
    var answeredAt: Date?
    /// The media is being made, so it has to be ended too.
    var hasMedia = false

    var sipCall: SIPCallID? {
        if case .trunk(let id, _) = caller { id } else { nil }
    }
}
