import NIOCore

/// The media view of a far end. Confined to the media loop of its call.
///
/// A port pushes what arrives to its `sink` and takes what the other side of the bridge sends.
protocol AudioPort: AnyObject {
    /// The rates in Hz this port speaks without resampling, best first.
    var nativeRates: [Int] { get }
    /// Whether `start` may name a rate that is not native. False where the far end demands its own, as an agent's dialect does.
    var resamples: Bool { get }
    /// True where an arriving stream must have no gaps (an agent's voice detector, a recogniser); false where the far end
    /// has a jitter buffer of its own.
    var wantsGapFreeStream: Bool { get }
    /// Whether keys reach this far end as tones in the sound, for it takes no telephone-events.
    var takesKeysAsSound: Bool { get }
    /// Whether it may be stopped and started anew at another rate in the middle of a call: nothing of it begins again then.
    var followsRate: Bool { get }
    /// Told before `start`: whether the other port takes keys as sound. Then keys that come as sound are left as they are.
    func prepare(keysStaySound: Bool)
    /// Whether this far end takes Opus packets as they came.
    var opusPassing: OpusPassing { get }
    /// Told before `start`: whether the other port takes Opus packets as they came.
    func prepare(passing: OpusPassing)
    /// Joins the port to a bridge: frames go to `sink` at `rate`, and frames at `rate` will be sent through the port.
    /// - Parameter gapFree: fill what does not arrive, so that `sink` sees 50 frames a second.
    func start(rate: Int, gapFree: Bool, sink: any AudioSink, now: NIODeadline)
    /// Ends the connection to the bridge. The port stays open and can be joined again.
    func stop()
    /// Sends one frame to the far end.
    func send(_ frame: borrowing AudioFrame, now: NIODeadline)
    /// What is not sent from now on is silence with noise in it, as loud as this in dBFS.
    func setSilence(level: Float)
    /// Sends a key to the far end. `duration` in milliseconds.
    func send(digit: Digit, duration: Int, now: NIODeadline)
    /// One line for the log: what this port does to the sound.
    var pathDescription: String { get }
}

extension AudioPort {
    var resamples: Bool { true }
    var takesKeysAsSound: Bool { false }
    var followsRate: Bool { false }
    func prepare(keysStaySound: Bool) {}
    var opusPassing: OpusPassing { .off }
    func prepare(passing: OpusPassing) {}
    func setSilence(level: Float) {}
}

/// Takes the frames of a port.
protocol AudioSink: AnyObject {
    func receive(_ frame: borrowing AudioFrame, from port: any AudioPort, now: NIODeadline)
    /// The far end says how its silence sounds, in dBFS.
    func receive(silenceLevel: Float, from port: any AudioPort)
    /// A key was pressed at the far end (reported once, when it begins).
    func receive(digit: Digit, from port: any AudioPort, now: NIODeadline)
    /// The port speaks another codec now.
    /// - Returns: whether it was started anew therefore, at a rate that suits it better.
    func restarts(after port: any AudioPort, now: NIODeadline) -> Bool
}

extension AudioSink {
    func receive(silenceLevel: Float, from port: any AudioPort) {}
    func restarts(after port: any AudioPort, now: NIODeadline) -> Bool { false }
}
