import Glibc

extension TransportAddress {
    /// Which socket an address is written for.
    public enum SocketFamily: Sendable {
        /// `sockaddr_in` for IPv4, `sockaddr_in6` for IPv6.
        case native
        /// Always `sockaddr_in6`, IPv4 in its mapped form: for a dual-stack IPv6 socket.
        case ipv6
    }

    /// Writes the address in the kernel's form.
    /// - Parameter storage: at least `MemoryLayout<sockaddr_in6>.size` bytes, any alignment
    /// - Returns: the number of bytes written, the `msg_namelen` of a send.
    public func write(sockaddr storage: UnsafeMutableRawPointer, for family: SocketFamily = .native) -> socklen_t {
        if isIPv4 && family == .native {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(truncatingIfNeeded: low).bigEndian
            storage.storeBytes(of: address, as: sockaddr_in.self)
            return socklen_t(MemoryLayout<sockaddr_in>.size)
        }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        address.sin6_scope_id = scope
        withUnsafeMutableBytes(of: &address.sin6_addr) { bytes in
            bytes.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
            bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        storage.storeBytes(of: address, as: sockaddr_in6.self)
        return socklen_t(MemoryLayout<sockaddr_in6>.size)
    }

    /// The kernel's form for the time of one call: `bind`, `connect`, `sendto`.
    public func withSockaddr<Result>(
        for family: SocketFamily = .native, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result
    ) rethrows -> Result {
        var storage = sockaddr_storage()
        return try withUnsafeMutableBytes(of: &storage) { bytes in
            guard let base = bytes.baseAddress else { preconditionFailure("sockaddr_storage has no bytes") }
            let length = write(sockaddr: base, for: family)
            return try body(UnsafePointer(base.assumingMemoryBound(to: sockaddr.self)), length)
        }
    }
}
