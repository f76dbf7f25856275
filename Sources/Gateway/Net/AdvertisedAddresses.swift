import NIOCore
import NIOPosix
import RTP

/// Which addresses browsers and trunks are told to send to.
struct AdvertisedAddresses: Sendable {
    /// For candidates, best first.
    let browser: [String]
    /// For descriptions to trunks.
    let trunk: String

    init(_ configuration: Configuration) {
        browser = Self.browserAddresses(configuration)
        let host = Self.trunkHost(configuration).host
        trunk = configuration.sip.advertise ?? HostAddress.advertised(for: host)
    }

    /// Where RTP ports are bound: as the SIP listeners are, or everywhere when they differ.
    static func trunkHost(_ configuration: Configuration) -> TransportAddress {
        let hosts = Set(configuration.sip.listen.map { $0.address.host == "localhost" ? "127.0.0.1" : $0.address.host })
        let common = hosts.count == 1 ? hosts.first : nil
        return common.flatMap { TransportAddress(host: $0, port: 0) } ?? TransportAddress(ipv4: 0, port: 0)
    }

    /// As configured; else what is listened on; else every address of the host that is not loopback, and 127.0.0.1 last when
    /// pages are served on loopback (Firefox sends no checks there).
    private static func browserAddresses(_ configuration: Configuration) -> [String] {
        if let advertised = configuration.browser.advertise { return advertised }
        let listen = configuration.browser.listen.host
        if listen == "localhost" { return ["127.0.0.1"] }
        guard listen == "0.0.0.0" || listen == "::" else { return [listen] }
        var addresses = hostAddresses(includingIPv6: listen == "::")
        if configuration.http.listen.isLoopback || addresses.isEmpty { addresses.append("127.0.0.1") }
        return addresses
    }

    private static func hostAddresses(includingIPv6: Bool) -> [String] {
        var addresses: [String] = []
        for device in (try? System.enumerateDevices()) ?? [] {
            guard let text = device.address?.ipAddress, let address = TransportAddress(host: text, port: 0) else { continue }
            let isLinkLocal = !address.isIPv4 && address.high >> 54 == 0xFE80 >> 6
            guard !address.isLoopback, !isLinkLocal, address.isIPv4 || includingIPv6 else { continue }
            if !addresses.contains(text) { addresses.append(text) }
        }
        return addresses
    }
}
