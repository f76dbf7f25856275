import NIOCore

/// Connected stream sockets that a media loop reads in its own turn, beside its datagram sockets. The real one is `EpollMediaIO`.
protocol StreamSet: AnyObject {
    /// Connections that the event loop has to look after (`ChannelPresence`).
    var channels: Int { get set }
    /// - Parameter descriptor: stays the caller's, who ends the watch before it closes it
    func watch(stream descriptor: Int32, reader: any StreamReader)
    /// What was sent and still waits for the end of the turn is written first.
    func unwatch(stream descriptor: Int32)
    /// Writes at the end of the turn, after what was sent before; the reader hears of what the kernel does not take.
    func send(_ bytes: UnsafeRawBufferPointer, on descriptor: Int32)
    /// Sleeps until something has come on a socket of the loop, a datagram's or a stream's, and at most until `deadline`.
    func awaitInput(until deadline: NIODeadline)
}

/// Hears what comes on a stream socket.
protocol StreamReader: AnyObject {
    /// The next bytes; the storage is used again when this returns, as far as nobody holds it.
    func received(_ bytes: ByteBuffer)
    /// Nothing comes any more. The reader ends the watch.
    /// - Parameter error: of errno(3); nil when the far end closed
    func streamEnded(error: Int32?)
    /// The kernel did not take these bytes, nor does it take later ones of the same turn; also of an error.
    func streamRefused(_ bytes: UnsafeRawBufferPointer)
}
