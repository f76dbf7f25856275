import Glibc

/// An IP address and a UDP or TCP port as one value without heap storage.
///
/// IPv4 is kept in its IPv6-mapped form (`::ffff:a.b.c.d`), so that an address seen through a dual-stack
/// socket equals the same address seen through an IPv4 one.
public struct TransportAddress: Hashable, Sendable {
    /// Bytes 0 to 7 of the IPv6 address in network order, read as a big-endian number.
    public let high: UInt64
    /// Bytes 8 to 15 of the IPv6 address in network order, read as a big-endian number.
    public let low: UInt64
    /// The interface index of a link-local IPv6 address, else 0.
    public let scope: UInt32
    public let port: UInt16

    /// `low` of an IPv4 address starts with these 32 bits, and `high` is 0.
    private static let mappedPrefix: UInt64 = 0x0000_FFFF_0000_0000

    /// - Parameters:
    ///   - high: the first eight bytes of the IPv6 address, big-endian
    ///   - low: the last eight
    public init(high: UInt64, low: UInt64, scope: UInt32 = 0, port: UInt16) {
        self.high = high
        self.low = low
        self.scope = scope
        self.port = port
    }

    /// - Parameter ipv4: the four address bytes read as a big-endian number: 127.0.0.1 is 0x7F000001
    public init(ipv4: UInt32, port: UInt16) {
        self.init(high: 0, low: Self.mappedPrefix | UInt64(ipv4), port: port)
    }

    /// A numeric address ("192.0.2.1", "2001:db8::1", "[2001:db8::1]"); `nil` for names, for anything else that is
    /// no address and for ports outside 0 to 65535.
    public init?(host: String, port: Int) {
        guard let port = UInt16(exactly: port) else { return nil }
        let text = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        guard !text.utf8.contains(0) else { return nil }
        var ipv4 = in_addr()
        if inet_pton(AF_INET, text, &ipv4) == 1 {
            self.init(ipv4: UInt32(bigEndian: ipv4.s_addr), port: port)
            return
        }
        var ipv6 = in6_addr()
        guard inet_pton(AF_INET6, text, &ipv6) == 1 else { return nil }
        let (high, low) = Self.words(of: ipv6)
        self.init(high: high, low: low, port: port)
    }

    /// What the kernel wrote for a received datagram.
    /// - Parameters:
    ///   - storage: a `sockaddr_in` or `sockaddr_in6`; any alignment
    ///   - length: the number of valid bytes there
    /// - Returns: `nil` for another address family or too few bytes.
    public init?(sockaddr storage: UnsafeRawPointer, length: Int) {
        guard length >= MemoryLayout<sa_family_t>.size else { return nil }
        switch Int32(storage.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET where length >= MemoryLayout<sockaddr_in>.size:
            let address = storage.loadUnaligned(as: sockaddr_in.self)
            self.init(ipv4: UInt32(bigEndian: address.sin_addr.s_addr), port: UInt16(bigEndian: address.sin_port))
        case AF_INET6 where length >= MemoryLayout<sockaddr_in6>.size:
            let address = storage.loadUnaligned(as: sockaddr_in6.self)
            let (high, low) = Self.words(of: address.sin6_addr)
            self.init(high: high, low: low, scope: address.sin6_scope_id, port: UInt16(bigEndian: address.sin6_port))
        default:
            return nil
        }
    }

    public var isIPv4: Bool { high == 0 && low >> 32 == Self.mappedPrefix >> 32 }

    /// 127.0.0.0/8 or ::1.
    public var isLoopback: Bool { isIPv4 ? (low >> 24) & 0xFF == 127 : high == 0 && low == 1 }

    /// 0.0.0.0 or ::, which old phones put into an SDP to mean "on hold".
    public var isUnspecified: Bool { high == 0 && (low == 0 || low == Self.mappedPrefix) }

    /// The same IP address, whatever the port.
    public func hasSameHost(as other: TransportAddress) -> Bool {
        high == other.high && low == other.low && scope == other.scope
    }

    public func with(port: UInt16) -> TransportAddress {
        TransportAddress(high: high, low: low, scope: scope, port: port)
    }

    /// The numeric address without port and brackets.
    public var host: String {
        if isIPv4 {
            return "\((low >> 24) & 0xFF).\((low >> 16) & 0xFF).\((low >> 8) & 0xFF).\(low & 0xFF)"
        }
        var address = in6_addr()
        withUnsafeMutableBytes(of: &address) { bytes in
            bytes.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
            bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
            guard let base = text.baseAddress,
                inet_ntop(AF_INET6, &address, base, socklen_t(text.count)) != nil
            else { return "::" }
            return String(cString: base)
        }
    }

    private static func words(of address: in6_addr) -> (high: UInt64, low: UInt64) {
        withUnsafeBytes(of: address) { bytes in
            (
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }
}

extension TransportAddress: CustomStringConvertible {
    /// "192.0.2.1:5004" or "[2001:db8::1]:5004".
    public var description: String { isIPv4 ? "\(host):\(port)" : "[\(host)]:\(port)" }
}
