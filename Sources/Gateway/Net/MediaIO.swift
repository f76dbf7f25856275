import RTP

/// The datagram sockets of one media loop: the browsers' shared one and one per trunk call. The real one is `EpollMediaIO`;
/// tests put a network on virtual time here.
protocol MediaIO: AnyObject {
    /// Where the shared browser socket is bound.
    var browserAddress: TransportAddress { get }
    /// Opens a socket for one trunk leg.
    /// - Returns: nil when no port is left.
    func openTrunkPort() -> TrunkPort?
    /// - Parameter wasTold: false for a port that nobody was told of: it need not rest before it is used again.
    func close(_ port: TrunkPort, wasTold: Bool)
    /// Reads everything that is there and hands each datagram over, which may be changed in place.
    func poll(into receiver: any DatagramReceiver)
    /// Room for one datagram of `DatagramSize.slot` bytes, valid until `send`; nil when the batch cannot take more.
    func slot() -> UnsafeMutableRawBufferPointer?
    /// Queues the first `length` bytes of the last `slot`.
    func send(length: Int, on socket: MediaSocket, to address: TransportAddress)
    /// Sends what is queued.
    func flush()
    var counters: MediaIOCounters { get }
    /// Closes every socket.
    func close()
}

extension MediaIO {
    func close(_ port: TrunkPort) { close(port, wasTold: true) }
}

/// Which socket of the loop a datagram came in on or goes out of.
enum MediaSocket: Hashable, Sendable {
    case browser
    /// The file descriptor of a trunk leg's socket, RTP or RTCP.
    case trunk(Int32)
}

/// An RTP port and the RTCP port beside it (RFC 3550 section 11).
struct TrunkPort: Hashable, Sendable {
    var media: MediaSocket
    var control: MediaSocket
    /// The RTP port number, even.
    var number: Int
}

/// Takes the datagrams of a poll.
protocol DatagramReceiver: AnyObject {
    func receive(_ datagram: UnsafeMutableRawBufferPointer, on socket: MediaSocket, from source: TransportAddress)
}

enum DatagramSize {
    /// Bytes of one slot: an Ethernet frame's payload and room for an SRTP trailer.
    static let slot = 2048
}

struct MediaIOCounters: Sendable {
    var received = 0
    var sent = 0
    /// The kernel took a datagram not at once; it was dropped, for late sound is worthless.
    var sendFailures = 0
}
