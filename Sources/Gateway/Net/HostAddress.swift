import NIOCore
import SIPStack

/// Conversions between the system's socket addresses and the engine's.
enum HostAddress {
    private static let mappedPrefix = "::ffff:"

    /// An IPv4 peer seen through an IPv6 socket is an IPv4 peer.
    static func sipAddress(_ address: SocketAddress) -> SIPAddress? {
        guard var host = address.ipAddress, let port = address.port else { return nil }
        if host.lowercased().hasPrefix(mappedPrefix), host.contains(".") { host = String(host.dropFirst(mappedPrefix.count)) }
        return SIPAddress(host: host, port: port)
    }

    /// The address in the family of the socket that sends to it; nil for a name.
    static func socketAddress(_ address: SIPAddress, like local: SocketAddress?) -> SocketAddress? {
        var host = address.host
        if case .v6? = local, !host.contains(":") { host = mappedPrefix + host }
        return try? SocketAddress(ipAddress: host, port: address.port)
    }

    /// What to tell far ends for a bound address: itself, or for a wildcard the first address of the host that is not loopback.
    static func advertised(for host: String) -> String {
        guard host == "0.0.0.0" || host == "::" else { return host }
        let addresses = ((try? System.enumerateDevices()) ?? []).compactMap(\.address)
        let candidate = addresses.first { address in
            guard let text = address.ipAddress, !text.hasPrefix("127."), text != "::1", !text.lowercased().hasPrefix("fe80") else { return false }
            if case .v4 = address { return true }
            return host == "::"
        }
        return candidate?.ipAddress ?? (host == "::" ? "::1" : "127.0.0.1")
    }
}
