import Glibc

/// A numeric IPv4 or IPv6 address. IPv4 is kept in its IPv4-mapped form, so that `::ffff:192.0.2.1` is `192.0.2.1`.
public struct IPAddress: Sendable, Hashable {
    private static let mappedPrefix: UInt128 = 0xFFFF << 32

    /// The 128 bits of the IPv6 (or IPv4-mapped) form.
    public let bits: UInt128

    /// Nil for anything but a numeric address. A zone (`fe80::1%eth0`) is dropped.
    public init?(_ text: String) {
        guard text.utf8.count <= 64, !text.utf8.contains(0) else { return nil }
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bits = IPAddress.mappedPrefix | UInt128(UInt32(bigEndian: four.s_addr))
            return
        }
        let zoneless = text.prefix { $0 != "%" }
        var six = in6_addr()
        guard inet_pton(AF_INET6, String(zoneless), &six) == 1 else { return nil }
        bits = withUnsafeBytes(of: &six) { bytes in bytes.reduce(0) { $0 << 8 | UInt128($1) } }
    }

    /// Also true of an IPv4-mapped IPv6 address.
    public var isIPv4: Bool { bits >> 32 == 0xFFFF }

    /// 127.0.0.0/8 or ::1.
    public var isLoopback: Bool {
        isIPv4 ? (bits >> 24) & 0xFF == 127 : bits == 1
    }

    /// 0.0.0.0 or ::.
    public var isUnspecified: Bool {
        bits == 0 || bits == IPAddress.mappedPrefix
    }
}

/// A block of addresses such as `198.51.100.0/28` or `2001:db8::/32`; a lone address is a block of one.
public struct CIDR: Sendable, Hashable, CustomStringConvertible {
    /// Why text is no block.
    public struct Malformed: Error, Equatable {
        public let reason: String
    }

    private let network: UInt128
    /// Of the 128-bit form: an IPv4 prefix counts 96 more.
    public let prefixLength: Int
    public let description: String

    public init(_ text: String) throws(Malformed) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(String(parts[0])), !parts[0].contains("%") else {
            throw Malformed(reason: "is not a block of addresses such as 198.51.100.0/28")
        }
        let width = address.isIPv4 && !parts[0].contains(":") ? 32 : 128
        var length = width
        if parts.count == 2 {
            guard parts[1].utf8.count <= 3, parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let given = Int(parts[1]), given <= width else {
                throw Malformed(reason: "has a prefix length that is not 0 to \(width)")
            }
            length = given
        }
        prefixLength = length + 128 - width
        network = address.bits & CIDR.mask(prefixLength)
        guard network == address.bits else {
            throw Malformed(reason: "has bits set behind its /\(length) prefix")
        }
        description = text
    }

    /// The block of one address.
    public init(_ address: IPAddress, text: String) {
        network = address.bits
        prefixLength = 128
        description = text
    }

    public func contains(_ address: IPAddress) -> Bool {
        address.bits & CIDR.mask(prefixLength) == network
    }

    /// - Parameter ip: a numeric address; anything else is in no block.
    public func contains(_ ip: String) -> Bool {
        IPAddress(ip).map(contains) ?? false
    }

    /// Whether it holds every address of its family.
    public var isEverything: Bool {
        prefixLength == 0 || (prefixLength == 96 && network >> 32 == 0xFFFF)
    }

    /// The same addresses, however they were written.
    public static func == (left: CIDR, right: CIDR) -> Bool {
        left.network == right.network && left.prefixLength == right.prefixLength
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(network)
        hasher.combine(prefixLength)
    }

    private static func mask(_ length: Int) -> UInt128 {
        length == 0 ? 0 : ~UInt128(0) << UInt128(128 - length)
    }
}
