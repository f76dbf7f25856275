/// Attribute types of STUN and ICE (RFC 8489 section 18.3, RFC 8445 section 16.1) that we read or write.
public enum STUNAttribute {
    public static let username: UInt16 = 0x0006
    public static let messageIntegrity: UInt16 = 0x0008
    public static let errorCode: UInt16 = 0x0009
    public static let unknownAttributes: UInt16 = 0x000A
    public static let xorMappedAddress: UInt16 = 0x0020
    public static let priority: UInt16 = 0x0024
    public static let useCandidate: UInt16 = 0x0025
    public static let fingerprint: UInt16 = 0x8028
    public static let iceControlled: UInt16 = 0x8029
    public static let iceControlling: UInt16 = 0x802A

    /// Whether a request with this attribute may be processed: types from 0x8000 up may be ignored, below that we
    /// must know them. MAPPED-ADDRESS, REALM and NONCE are known and without meaning in a connectivity check.
    static func isUnderstood(_ type: UInt16) -> Bool {
        switch type {
        case 0x8000...: true
        case username, messageIntegrity, errorCode, unknownAttributes, xorMappedAddress, priority, useCandidate: true
        case 0x0001, 0x0014, 0x0015: true
        default: false
        }
    }
}
