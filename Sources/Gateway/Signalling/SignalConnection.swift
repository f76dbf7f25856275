import NIOCore

/// A socket as the hub knows it: something to write to, told apart by identity.
final class SignalConnection: Sendable {
    private let channel: any Channel
    /// For the log: where the socket came from.
    let source: String

    init(channel: any Channel) {
        self.channel = channel
        source = channel.remoteAddress?.logText ?? "unknown"
    }

    /// Sends a text message; what a lost socket is sent goes nowhere.
    func send(_ text: ByteBuffer) {
        channel.writeAndFlush(text, promise: nil)
    }

    /// Closes the socket because its session was taken over by another one.
    func close() {
        channel.triggerUserOutboundEvent(SignalSocket.CloseRequest(), promise: nil)
    }
}
