import RTP

/// A number or an address as it may stand in a log: enough to recognise, not enough to call or to find.
struct Redacted: CustomStringConvertible, Sendable {
    let description: String

    /// Keeps the last two characters of a number of five or more digits; names stay.
    init(number: String) {
        let digits = number.filter(\.isNumber).count
        description = digits >= 5 ? String(repeating: "*", count: number.count - 2) + number.suffix(2) : number
    }

    /// Keeps the network: the first two bytes of IPv4, the first 32 bits of IPv6. Loopback stays.
    init(_ address: TransportAddress) {
        guard !address.isLoopback else {
            description = "\(address)"
            return
        }
        let host = address.host
        let kept = address.isIPv4 ? host.split(separator: ".").prefix(2).joined(separator: ".") + ".*.*"
            : host.split(separator: ":", omittingEmptySubsequences: false).prefix(2).joined(separator: ":") + ":*"
        description = "\(kept):\(address.port)"
    }
}
