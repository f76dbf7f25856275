/// A carrier or PBX that calls in, is called, or both.
public struct Trunk: Sendable {
    public enum Codec: String, Sendable, CaseIterable {
        case pcmu = "PCMU"
        case pcma = "PCMA"
        case g722 = "G722"
        case opus
        case l16Narrow = "L16/8000"
        case l16Wide = "L16/16000"
    }

    public enum DTMF: String, Sendable, CaseIterable {
        case auto, rfc4733, info, inband
    }

    public enum SRTP: String, Sendable, CaseIterable {
        case off, optional, required
    }

    public enum Echo: String, Sendable, CaseIterable {
        case auto, off
    }

    public var name: String
    /// Where calls out go, tried in order.
    public var hosts: [TrunkHost] = []
    /// Who may call in as this trunk; by default the hosts that are numeric addresses.
    public var acceptFrom: [CIDR] = []
    public var username: String?
    public var password: String?
    public var register = false
    public var inboundAuth = false
    /// In order of preference.
    public var codecs: [Codec] = [.pcmu, .pcma, .g722, .opus]
    public var dtmf = DTMF.auto
    public var srtp = SRTP.off
    public var echo = Echo.auto
    public var agc = Configuration.AGC.off
    /// The digits numbers without + are normalised with; empty for none.
    public var country = ""
    public var maxCalls = 100
    public var maxCallsPerSecond = 10

    public init(name: String) {
        self.name = name
    }
}

/// One host of a trunk, from a SIP URI such as `sip:198.51.100.7:5060;transport=udp`.
public struct TrunkHost: Sendable, Hashable {
    /// As written.
    public let uri: String
    /// `sips:`, which wants TLS on every hop.
    public let isSecure: Bool
    /// A name, or a numeric address without brackets.
    public let host: String
    /// Nil leaves it to DNS, or to the transport's default.
    public let port: Int?
    public let transport: Configuration.SIP.Transport?

    /// The address, if the host is not a name.
    public var address: IPAddress? { IPAddress(host) }
}
