import Glibc

/// A plain blocking socket on 127.0.0.1 for tests of the SIP driver. Every wait ends after five seconds.
final class SIPLoopbackPeer: @unchecked Sendable {
    private let descriptor: Int32
    private let isStream: Bool
    private var pending: [UInt8] = []

    private init(_ descriptor: Int32, isStream: Bool) {
        self.descriptor = descriptor
        self.isStream = isStream
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    static func udp() -> SIPLoopbackPeer {
        let peer = SIPLoopbackPeer(socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0), isStream: false)
        peer.bindAnywhere()
        return peer
    }

    static func tcp(to port: Int) -> SIPLoopbackPeer {
        let peer = SIPLoopbackPeer(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0), isStream: true)
        _ = Self.withLoopback(port) { connect(peer.descriptor, $0, $1) }
        return peer
    }

    static func listener() -> SIPLoopbackPeer {
        let peer = SIPLoopbackPeer(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0), isStream: true)
        peer.bindAnywhere()
        listen(peer.descriptor, 4)
        return peer
    }

    /// The next connection to a listener.
    func accepted() -> SIPLoopbackPeer { SIPLoopbackPeer(accept(descriptor, nil, nil), isStream: true) }

    var port: Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// Sends to a port of the loopback (UDP) or on the connection.
    func send(_ text: String, to port: Int = 0) {
        let bytes = Array(text.utf8)
        if isStream {
            _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        } else {
            _ = Self.withLoopback(port) { Int32(sendto(descriptor, bytes, bytes.count, 0, $0, $1)) }
        }
    }

    /// The next datagram, or what a stream brings next; empty when it was closed or nothing came.
    func receive() -> String {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : ""
    }

    /// Reads a stream until `text` was seen, or it was closed.
    func receive(until text: String) -> String {
        var all = ""
        while !all.contains(text) {
            let more = receive()
            if more.isEmpty { return all }
            all += more
        }
        return all
    }

    /// True when the far end closed the connection (and not when nothing came).
    func isClosed() -> Bool {
        var byte: UInt8 = 0
        while true {
            let count = recv(descriptor, &byte, 1, 0)
            if count == 0 { return true }
            if count < 0 { return errno == ECONNRESET }
        }
    }

    func disconnect() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    private func bindAnywhere() { _ = Self.withLoopback(0) { bind(descriptor, $0, $1) } }

    private static func withLoopback(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}
