/// Numeric IP addresses as text: the engine resolves no names, so it must know which hosts it can send to.
enum NumericAddress {
    /// The four numbers of an IPv4 address, nil for anything else.
    static func ipv4(_ host: String) -> [UInt8]? {
        let parts = host.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var numbers: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy({ $0 >= 48 && $0 <= 57 }),
                let number = UInt8(String(decoding: part, as: UTF8.self))
            else { return nil }
            numbers.append(number)
        }
        return numbers
    }

    /// True for a numeric address of either family. IPv6 is recognised by its colons: a host name has none.
    static func isNumeric(_ host: String) -> Bool {
        ipv4(host) != nil || (host.contains(":") && host.utf8.allSatisfy { isHexadecimal($0) || $0 == 58 || $0 == 46 })
    }

    /// Addresses that only mean something inside their own network (RFC 1918, RFC 6598, link-local, loopback, unspecified).
    static func isPrivate(_ host: String) -> Bool {
        guard let number = ipv4(host) else {
            let text = host.lowercased()
            return text == "::" || text == "::1" || text.hasPrefix("fe80") || text.hasPrefix("fc") || text.hasPrefix("fd")
        }
        switch (number[0], number[1]) {
        case (10, _), (127, _), (0, _), (192, 168), (169, 254): return true
        case (172, let second): return (16...31).contains(second)
        case (100, let second): return (64...127).contains(second)
        default: return false
        }
    }

    /// Whether an address a peer gives of itself can be used by one that sees the peer as `source`.
    static func isReachable(_ host: String, for source: String) -> Bool {
        guard isNumeric(host), host != "0.0.0.0", host != "::" else { return false }
        guard isPrivate(host) else { return true }
        let isLoopback = host.hasPrefix("127.") || host == "::1"
        return isPrivate(source) && (!isLoopback || source.hasPrefix("127.") || source == "::1")
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
    }
}
