import Logging
import NIOCore
import RTCStack
import RTP
import Transcode

/// What every call on a media loop shares.
struct MediaEnvironment {
    let io: any MediaIO
    let certificate: DTLSCertificate
    /// Addresses put into candidates for browsers, numeric, best first; the port is the loop's.
    let candidates: [String]
    /// The address in our descriptions to trunks.
    let trunkAddress: String
    /// Opus toward a browser: what comes from a trunk, and what comes from an agent.
    let opusFromTrunk: OpusEncoder.Settings
    let opusFromAgent: OpusEncoder.Settings
    let randomness: @Sendable () -> any RandomNumberGenerator
    /// The time of day, for reports.
    let wallClock: @Sendable () -> NTPTimestamp
    /// Makes the leg of an agent; tests put their own here.
    let makeAgent: (AgentOrder, any AgentLegEvents, Logger, NIODeadline) -> any AgentLeg
    let logger: Logger
    /// The time the loop's thread has run so far.
    var threadTime: () -> TimeAmount = { .zero }
    /// Whether what browsers say is brought to a common level.
    var controlsBrowserGain = false
}

/// Which agent a call wants, and what it is to be told.
struct AgentOrder: Sendable {
    var agent: Agent
    var info: AgentCallInfo
    /// The address that a TwiML document names, in place of the configured ones.
    var streamURL: String?
    /// Carries out the functions that it offered to the model.
    var webhook: AgentWebhook?
}
