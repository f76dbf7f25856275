import Foundation

/// What an agent is told of its call.
struct AgentCallInfo: Sendable {
    var call: CallID
    /// As the dial plan normalised them.
    var from: String
    var to: String
    /// The account of the agent's configuration (twilio).
    var account: String
    /// The step's parameters, then the browser's.
    var parameters: [String: String]
    /// The step's own, which nobody outside can write.
    var routeParameters: [String: String] = [:]
    /// The caller is a browser; else a phone.
    var isBrowser = false
    /// The call was placed by the gateway, on the API's order.
    var isOutbound = false
    /// Headers of the caller's INVITE that routes may look at.
    var headers: [String: String] = [:]
    /// What the gateway does by itself when the caller speaks over the agent.
    var bargeIn = BargeInPolicy.off
    /// The rates in hertz that the caller's leg speaks, best first.
    var callerRates: [Int] = [8000]
    /// The caller's codec, as descriptions name it.
    var callerCodec: String?

    /// The parameters with the two numbers among them, under the names that agent frameworks look for.
    var namedParameters: [String: String] {
        parameters.merging(["from_number": from, "to_number": to]) { _, number in number }
    }
}
