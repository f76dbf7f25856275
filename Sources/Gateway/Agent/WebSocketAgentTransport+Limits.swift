import NIOCore

extension WebSocketAgentTransport {
    struct Limits: Sendable {
        /// From the first packet to the upgraded connection: the time a caller is made to wait for one agent (CONTRACT section 4).
        var connect = TimeAmount.seconds(3)
        /// Between our pings: shorter than the idle limits of proxies, which begin at 30 s.
        var ping = TimeAmount.seconds(15)
        /// Without a byte from the agent, three pings unanswered, it is dead.
        var silence = TimeAmount.seconds(45)
        /// For the agent to close the connection after the Close frames.
        var closing = TimeAmount.seconds(1)
        /// Bytes of one message, over all its fragments (CONTRACT section 7).
        var message = 4 << 20
        /// Bytes waiting to be sent from which on the transport is not writable: 2 s of linear sound at 16 kHz in base64 messages.
        var backlog = 64 << 10
        /// Bytes waiting to be sent at which an agent is given up: what is no audio (marks, pongs) is not dropped, so it needs an end.
        var overflow = 1 << 20

        /// As `tandem.media.v1` has it (AGENT-PROTOCOLS 6.1); and room for two seconds at 24 kHz.
        static var tandem: Limits {
            Limits(ping: .seconds(10), silence: .seconds(20), backlog: 96 << 10)
        }
    }

    /// TCP_NOTSENT_LOWAT of tcp(7): unsent bytes the kernel takes.
    static let notSentLowWater = NIOBSDSocket.Option(rawValue: 25)
    static let kernelBacklog: SocketOptionValue = 16 << 10
}
