import Glibc
import RTP

/// An address could not be bound.
public struct BindError: Error, Sendable, CustomStringConvertible {
    /// What was to be bound, with its transport ("udp:127.0.0.1:5060").
    public var address: String
    /// Why not, in the system's words.
    public var reason: String

    public var description: String { "cannot bind \(address): \(reason)" }
}

/// Opening of raw non-blocking UDP sockets.
enum DatagramSocket {
    /// - Parameter receiveBuffer: bytes asked for; the system may grant less. nil keeps its default.
    static func open(_ address: TransportAddress, receiveBuffer: Int? = nil) throws(BindError) -> Int32 {
        let family = address.isIPv4 ? AF_INET : AF_INET6
        let descriptor = socket(family, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure(address) }
        if let receiveBuffer {
            var size = Int32(receiveBuffer)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        let bound = address.withSockaddr { bind(descriptor, $0, $1) }
        guard bound == 0 else {
            let error = failure(address)
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Where a socket is bound.
    static func address(of descriptor: Int32) -> TransportAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &storage) { bytes in
            guard let base = bytes.baseAddress,
                getsockname(descriptor, base.assumingMemoryBound(to: sockaddr.self), &length) == 0
            else { return nil }
            return TransportAddress(sockaddr: base, length: Int(length))
        }
    }

    private static func failure(_ address: TransportAddress) -> BindError {
        BindError(address: "udp:\(address)", reason: String(cString: strerror(errno)))
    }
}
