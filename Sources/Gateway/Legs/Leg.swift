import NIOCore
import RTP
import Transcode

/// The view a call's media has of a caller or callee that sends RTP: a browser or a trunk. Confined to the media loop.
protocol Leg: AnyObject {
    var port: RTPAudioPort { get }
    /// Sound can go both ways: a browser's keys are there, a phone's ACK, answer or first packet came.
    var isReady: Bool { get }
    /// Once every 20 ms, on the playout grid.
    func tick(now: NIODeadline, wallClock: NTPTimestamp)
    /// To be called at `deadline`.
    func expire(now: NIODeadline)
    var deadline: NIODeadline? { get }
    /// Says goodbye on the wire and gives its sockets and table entries back.
    func close(now: NIODeadline, wallClock: NTPTimestamp)
    var figures: LegFigures { get }
}

/// What a leg tells its call.
protocol LegEvents: AnyObject {
    func legBecameReady()
    /// The far end of this leg is gone.
    func legEnded(_ leg: any Leg, _ end: CallEnd)
    /// A key is to be sent to this leg's far end by signalling.
    func leg(_ leg: any Leg, signals digit: Digit, milliseconds: Int)
    /// A tone on this leg says who or what is there; each is told once.
    func leg(_ leg: any Leg, heard tone: LineTone)
}

/// What is counted of a leg.
struct LegFigures: Sendable {
    /// Of a browser, not of a phone.
    var isBrowser = false
    var rtp = RTPStatistics()
    /// As descriptions name it; nil until something is negotiated.
    var codec: String?
    /// Where its media goes, redacted.
    var address: String?
    var inbound = InboundStream.Counters()
    /// Packets whose SRTP protection was wrong.
    var forged = 0
    /// Datagrams that were no packet of this leg.
    var malformed = 0
    /// Of a phone line that has an echo, while or until it was taken out.
    var echo: LineEchoCanceller.Figures?
    /// Of a leg whose level is changed, once somebody spoke.
    var gain: GainControl.Figures?
}
