/// A block of IP addresses ("198.51.100.0/28", "2001:db8::/32", or one address alone), as `accept_from` has them.
public struct AddressPrefix: Hashable, Sendable {
    /// The first address of the block; its port is 0.
    public let address: TransportAddress
    /// Bits that count, of 128: an IPv4 block's 96 more than written.
    public let bits: Int

    /// - Returns: `nil` for text that is no block. Address bits beyond the length are ignored.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = TransportAddress(host: String(first), port: 0) else { return nil }
        let width = address.isIPv4 ? 32 : 128
        var length = width
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (48...57).contains($0) }), let given = Int(parts[1]), given <= width else {
                return nil
            }
            length = given
        }
        bits = 128 - width + length
        self.address = Self.mask(address, bits)
    }

    /// The one address.
    public init(_ address: TransportAddress) {
        bits = 128
        self.address = address.with(port: 0)
    }

    public func contains(_ other: TransportAddress) -> Bool {
        let masked = Self.mask(other, bits)
        return masked.high == address.high && masked.low == address.low
    }

    private static func mask(_ address: TransportAddress, _ bits: Int) -> TransportAddress {
        // Shifting by the full width or more gives zero in Swift, as wanted here.
        let high = address.high & (UInt64.max << (64 - min(bits, 64)))
        let low = address.low & (UInt64.max << (64 - max(bits - 64, 0)))
        return TransportAddress(high: high, low: low, scope: bits == 128 ? address.scope : 0, port: 0)
    }
}
