import CShims
import Glibc
import NIOCore

/// The agents' sockets, beside those of the calls.
extension EpollMediaIO: StreamSet {
    /// Tells streams from datagram sockets in what epoll reports; the descriptor stands below it.
    static let streamFlag: UInt64 = 1 << 32
    /// Bytes read of one stream in one turn: no agent's burst holds the loop for longer.
    private static let mostRead = 64 << 10

    /// What epoll says when no more comes; behind the bytes that wait there is the end to read.
    static let endings = EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue

    func watch(stream descriptor: Int32, reader: any StreamReader) {
        streams[descriptor] = reader
        watch(descriptor, as: Self.name(of: descriptor))
    }

    func awaitInput(until deadline: NIODeadline) {
        // Of the set itself: asked what it holds, it would take an edge for told.
        tandem_await_input(epoll, max(0, (deadline - .now()).nanoseconds))
    }

    private static func name(of stream: Int32) -> UInt64 { streamFlag | UInt64(UInt32(bitPattern: stream)) }

    func unwatch(stream descriptor: Int32) {
        guard streams[descriptor] != nil else { return }
        flushStreams()
        streams[descriptor] = nil
        _ = epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nil)
    }

    func send(_ bytes: UnsafeRawBufferPointer, on descriptor: Int32) {
        if streamsToWrite.add(bytes, to: descriptor) { return }
        let isWhole = writeStreams()
        // What was refused just now goes another way, and what comes later must not overtake it.
        if refused.contains(descriptor) || !streamsToWrite.add(bytes, to: descriptor) { write(bytes, on: descriptor) }
        if isWhole { forgetRefused() }
    }

    func flushStreams() {
        if writeStreams() { forgetRefused() }
    }

    /// - Returns: false within a write, where it does nothing
    private func writeStreams() -> Bool { streamsToWrite.drain { write($0, on: $1) } }

    private func forgetRefused() {
        if !refused.isEmpty { refused.removeAll() }
    }

    private func write(_ bytes: UnsafeRawBufferPointer, on descriptor: Int32) {
        // One whose end came of what was refused is closed.
        guard streams.contains(descriptor) else { return }
        var taken = 0
        if refused.isEmpty || !refused.contains(descriptor) {
            taken = max(0, Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT | Int(MSG_NOSIGNAL))))
        }
        guard taken < bytes.count else { return }
        refused.append(descriptor)
        streams[descriptor]?.streamRefused(UnsafeRawBufferPointer(rebasing: bytes[taken...]))
    }

    /// Reads once: a TCP socket that gives less than was asked for is empty (epoll(7)).
    /// - Parameter isEnding: the end follows, and has to be read too
    func read(stream descriptor: Int32, isEnding: Bool) {
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
            if isEnding || result == Self.mostRead, streams[descriptor] === reader {
                watch(descriptor, as: Self.name(of: descriptor), anew: true)
            }
        } else if result == 0 || (error != EAGAIN && error != EINTR) {
            reader.streamEnded(error: result == 0 ? nil : error)
        }
        streamRoom = room
    }
}
