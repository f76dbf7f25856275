/// What an agent may ask for, whatever its dialect.
protocol AgentCommands: AnyObject {
    /// The agent takes the call, where its dialect takes calls with a message.
    func accept()
    /// The agent does not take the call: the route's next step does.
    func reject(_ end: CallEnd)
    /// The agent came back to its call on a new socket; nothing it has to be told again is left.
    func resumed()
    /// Queues `count` samples at the dialect's playout rate; `write` fills them.
    /// - Returns: where the first of them stands, in the terms of `PlayoutPosition`.
    @discardableResult
    func play(_ count: Int, write: (UnsafeMutableBufferPointer<Int16>) -> Void) -> Int64
    /// Queues an Opus packet of so many samples of 48 kHz, to be sent to the caller as it is.
    /// - Returns: where the first of them stands.
    @discardableResult
    func play(packet: UnsafeRawBufferPointer, samples: Int) -> Int64
    func mark(_ name: String)
    func clear()
    /// Drops what stands before this position of the playout; all of it for nil.
    func clear(upTo position: Int64?)
    /// Drops everything queued, and tells the agent nothing of it.
    func clearSilently()
    /// The agent is to hear silence for the caller.
    func mute(_ isMuted: Bool)
    /// How much louder the caller is to hear the agent.
    func gain(decibels: Float)
    /// Freezes the playout, or goes on with it; nothing is dropped.
    func pause(_ isPaused: Bool)
    /// Sends keys to the caller; nil stands for a pause of half a second.
    /// - Parameter milliseconds: from the beginning of one key to that of the next
    func press(_ digits: [Digit?], milliseconds: Int)
    /// Says something to the agent at once.
    func reply(_ body: (any AgentTransport) -> Void)
    /// Gives the call to somebody else, after what is queued was played if `drains`.
    func transfer(_ transfer: AgentTransfer, drains: Bool)
    /// Ends the call, after what is queued was played if `drains`.
    func hangUp(_ end: CallEnd, drains: Bool)
    /// Sends a text to the caller's side.
    func send(_ message: CallMessage)
    /// What the gateway does by itself when the caller speaks over the agent.
    func interrupt(_ bargeIn: BargeInPolicy)
    /// Where the playout is.
    var position: PlayoutPosition { get }
    /// Goes on with the call on a new socket: the agent's own session ends.
    func renew()
    /// The agent broke its dialect so that nothing more can be done with it: closes with this code.
    func fail(code: UInt16, reason: String)
    /// Something that is no message of the dialect: logged once a call, then ignored.
    func misunderstood(_ what: @autoclosure () -> String)
}
