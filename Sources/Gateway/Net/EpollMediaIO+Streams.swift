import CShims
import Glibc
import NIOCore

/// The agents' sockets, beside those of the calls.
extension EpollMediaIO: StreamSet {
    /// Tells streams from datagram sockets in what epoll reports; the descriptor stands below it.
    static let streamFlag: UInt64 = 1 << 32
    /// Bytes read of one stream in one turn: no agent's burst holds the loop for longer.
    private static let mostRead = 64 << 10

    func watch(stream descriptor: Int32, reader: any StreamReader) {
        streams[descriptor] = reader
        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        event.data.u64 = Self.streamFlag | UInt64(UInt32(bitPattern: descriptor))
        _ = epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)
    }

    func unwatch(stream descriptor: Int32) {
        guard streams.remove(descriptor) != nil else { return }
        _ = epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nil)
    }

    func read(stream descriptor: Int32) {
        // Gone since epoll reported it.
        guard let reader = streams[descriptor] else { return }
        var room = streamRoom
        streamRoom = ByteBuffer()
        room.clear(minimumCapacity: Self.mostRead)
        var result = 0
        var error: Int32 = 0
        _ = room.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.mostRead) { target in
            result = recv(descriptor, target.baseAddress, Self.mostRead, Int32(MSG_DONTWAIT))
            error = errno
            return max(0, result)
        }
        if result > 0 {
            reader.received(room)
        } else if result == 0 || (error != EAGAIN && error != EINTR) {
            reader.streamEnded(error: result == 0 ? nil : error)
        }
        streamRoom = room
    }
}
