import Dialplan

/// Functions whose keys are read but which are not built yet (CONTRACT 3). Those that protect refuse the
/// configuration, for a gateway that looks protected and is not is worse than none, and so does a database that would
/// silently keep nothing; the others only warn.
/// Whoever builds one removes its case here.
enum Unbuilt {
    case httpTLS, browserAuth, sipTLS, requiredSRTP, inboundAuth
    case turn, register, optionalSRTP, hostNames
    case postgres

    var protects: Bool {
        switch self {
        case .httpTLS, .browserAuth, .sipTLS, .requiredSRTP, .inboundAuth, .postgres: true
        default: false
        }
    }

    /// What does not work, and for a warning what happens instead.
    var sentence: String {
        switch self {
        case .httpTLS: "http.tls is not built yet; put a TLS proxy in front, or remove it to serve plain HTTP"
        case .browserAuth: "browser.auth is not built yet; remove it to let every browser call"
        case .sipTLS: "SIP over TLS is not built yet; use udp: or tcp: over a network you trust"
        case .requiredSRTP: "srtp: required is not built yet; set srtp: off to send plain RTP"
        case .inboundAuth: "inbound_auth is not built yet; remove it, and accept_from alone decides who may call in"
        case .turn: "turn is not built yet: browsers get no TURN server"
        case .register: "register is not built yet: no registration is kept"
        case .optionalSRTP: "srtp: optional is not built yet: RTP is plain"
        case .hostNames: "names of hosts are looked up (A and AAAA, not yet NAPTR and SRV) for calls out only: list their addresses in accept_from for calls in"
        case .postgres: "PostgreSQL is not built yet; name a file, and call records go to SQLite"
        }
    }

    func report(at node: YAMLNode, _ problems: ProblemList) {
        if protects { problems.error(sentence, at: node) } else { problems.warning(sentence, at: node) }
    }
}
