import Dialplan
import Foundation
import Logging
import SIPStack

/// What the switchboard keeps of a call while it lasts.
struct CallEntry {
    enum Caller {
        case trunk(SIPCallID, trunk: String)
        case browser(observer: @Sendable (BrowserCallEvent) -> Void)
        /// The gateway places the call itself, as the API ordered: its first party is a phone or user that is called.
        case api
    }

    let id: CallID
    let loop: Int
    let caller: Caller
    /// Of the call, then of a transfer.
    var decision: RouteDecision
    let parameters: [String: String]
    let logger: Logger
    let startedAt: Date
    /// What will be told of the call when it is over.
    var record: CallRecord
    var call: Call
    /// Our description for the phone, until it is sent.
    var description: String?
    /// Waits for the answer of a browser's call.
    var reply: SwitchboardEvent.BrowserReply?
    var answeredAt: Date?
    /// How many more gateways the call may pass (RFC 7332), and which it has passed.
    var maxForwards = SIPCallOrder.defaultMaxForwards
    var path: [String] = []
    /// The caller asked that whoever is called does not see the number.
    var withholdsNumber = false
    /// The caller's INVITE brought a description, so that ours is an answer.
    var hasOffer = false
    /// The country of the trunk that was called last, whose tones the caller hears.
    var lastCountry = ""
    /// The callee's sound goes to the caller, who has no final answer yet.
    var isEarly = false
    /// The far end of a trunk step, while it is called and after it answered.
    var callee: Callee?
    /// Phones that ring at once, until one of them is the callee.
    var branches: [Callee] = []
    /// How they failed so far, as the caller will hear it if none answers.
    var branchFailure: CallEnd?
    /// The far end of a browser step, while it rings and after it accepted.
    var invitation: Invitation?
    /// The user of a call that the gateway placed, once answered; until then it is the `invitation`.
    var userParty: Invitation?
    /// The phone of a call that the gateway placed, once it answered; until then it is the `callee`.
    var party: Callee?
    /// Hears whether the gateway could place the call.
    var placed: SwitchboardEvent.PlacedReply?
    /// Who is told what the call does.
    var statusURL: WebSocketAgentTransport.URL?
    /// Whether it is to be found out who answered.
    var detectsMachine = false
    /// What the agent called the transfer that it asked for.
    var transferReference: Int64 = 0
    /// What the present step reaches is recorded.
    var isStepRecorded = false
    /// From the first far end on that is recorded.
    var recording: CallRecording?
    /// What a TwiML document has the call do, verb after verb.
    var script: TwiMLScript?
    /// The route's step whose agent's webhook was asked, and what the webhook is told beside the call's own fields.
    var scriptStep: AgentStep?
    var scriptParameters: [String: String] = [:]
    /// What a call that was ordered by Twilio's REST resource does at its answer.
    var firstOrder: TwiMLOrder?
    /// Who hears in Twilio's words how the call goes, and who answered it.
    var status: StatusSubscription?
    var answererCallback: StatusCallback?
    /// The dialled phone that the `action` of a `<Dial>` is told of: the one that answered, else the last that did not.
    var dialled: StatusSubscription?
    /// The stream of a document that wants to be told when it is over.
    var stream: TwiML.Stream?
    /// Documents and files asked for by HTTP so far: an answer that is not the last one's is late.
    var fetches = 0
    /// The file that was fetched last, for it is often played again.
    var sound: (url: String, recording: Recording)?
    /// The media is being made, so it has to be ended too.
    var hasMedia = false

    var sipCall: SIPCallID? {
        switch caller {
        case .trunk(let id, _): id
        case .api: party?.sip
        case .browser: nil
        }
    }

    var isBrowser: Bool {
        if case .browser = caller { true } else { false }
    }

    var isOutbound: Bool {
        if case .api = caller { true } else { false }
    }

    /// Whether a SIP call is that of the far end, not that of the call's first party.
    func isCallee(_ sip: SIPCallID) -> Bool { phones.contains { $0.sip == sip } }

    /// Every phone that is called, or was and answered.
    var phones: [Callee] { (callee.map { [$0] } ?? []) + branches }

    /// Changes what is known of one of them.
    mutating func update(_ sip: SIPCallID, _ body: (inout Callee) -> Void) {
        if var present = callee, present.sip == sip {
            body(&present)
            callee = present
        } else if let index = branches.firstIndex(where: { $0.sip == sip }) {
            body(&branches[index])
        }
    }
}

/// The far end of a trunk step.
struct Callee {
    let sip: SIPCallID
    let step: TrunkStep
    /// The number that is dialled.
    let number: String
    let trunk: Trunk
    /// Trunks to be tried after this one.
    let rest: ArraySlice<String>
    /// Of a phone that rings beside others: what is tried when those trunks do not lead to it, and its step in the record.
    var branch: Branch?
    /// What Twilio's words say of it; nil where nobody uses them.
    var status: StatusSubscription?
    /// The SIP endpoint knows of it.
    var isOrdered = false
    var isAnswered = false

    struct Branch {
        var ways: ArraySlice<TrunkStep>
        var recordStep: Int
        /// Its answer, while that of another phone is looked at.
        var answer: String?
    }
}
