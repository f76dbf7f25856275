import RTP

/// SRTP keys that a handshake yielded, each a master key followed by its salt.
struct DTLSKeys {
    let profile: SRTPProfile
    let send: [UInt8]
    let receive: [UInt8]

    /// Splits the exporter's output: client key, server key, client salt, server salt (RFC 5764 section 4.2).
    init(profile: SRTPProfile, material: [UInt8], role: DTLSRole) {
        let (key, salt) = (profile.keyLength, profile.saltLength)
        let client = Array(material[..<key] + material[(2 * key)..<(2 * key + salt)])
        let server = Array(material[key..<(2 * key)] + material[(2 * key + salt)..<(2 * (key + salt))])
        self.profile = profile
        send = role == .active ? client : server
        receive = role == .active ? server : client
    }

    static func materialLength(_ profile: SRTPProfile) -> Int { 2 * (profile.keyLength + profile.saltLength) }
}
