import COpenSSL
import RTP

/// One STUN message (RFC 8489) as a view of the datagram it came in: structure checked, nothing copied.
///
/// A value is only made from a well-formed message whose FINGERPRINT, if it has one, is right. It is valid as long
/// as the bytes under it.
public struct STUNMessage {
    public enum Class: UInt8, Sendable { case request, indication, success, failure }

    public static let headerLength = 20
    public static let magicCookie: UInt32 = 0x2112_A442
    public static let bindingMethod: UInt16 = 1
    /// A message larger than this is no connectivity check: a USERNAME has at most 513 bytes.
    public static let maximumLength = 1500
    /// As many unknown attributes as a 420 answer names; who sends more learns of the rest later.
    private static let unknownLimit = 8

    public let bytes: UnsafeRawBufferPointer
    public let messageClass: Class
    public let method: UInt16

    /// The value of USERNAME.
    public private(set) var username: UnsafeRawBufferPointer?
    /// The value of PRIORITY.
    public private(set) var priority: UInt32?
    public private(set) var useCandidate = false
    /// The tie-breaker of a sender that believes itself controlled.
    public private(set) var controlled: UInt64?
    /// The tie-breaker of a sender that believes itself controlling.
    public private(set) var controlling: UInt64?
    /// The number in ERROR-CODE, 300 to 699.
    public private(set) var errorCode: Int?
    /// Types below 0x8000 that we do not know, in order of appearance.
    public private(set) var unknownRequired: [UInt16] = []
    public private(set) var hasFingerprint = false
    /// Where MESSAGE-INTEGRITY starts, counted from the header.
    private var integrityOffset: Int?
    private var mappedAddress: UnsafeRawBufferPointer?

    /// `nil` for everything that is not a well-formed message in full.
    public init?(_ datagram: UnsafeRawBufferPointer) {
        guard Self.hasHeader(datagram) else { return nil }
        bytes = datagram
        let type = datagram.number16(0)
        guard let messageClass = Class(rawValue: UInt8((type >> 4) & 1 | (type >> 7) & 2)) else { return nil }
        self.messageClass = messageClass
        method = (type & 0x3E00) >> 2 | (type & 0x00E0) >> 1 | type & 0x000F
        var offset = Self.headerLength
        while offset < datagram.count {
            guard !hasFingerprint, let value = Self.value(in: datagram, at: offset),
                take(datagram.number16(offset), value, at: offset)
            else { return nil }
            offset = Self.end(of: value, at: offset)
        }
    }

    /// The first 12 bytes behind the magic cookie.
    public var transaction: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[8..<20]) }

    public var hasIntegrity: Bool { integrityOffset != nil }

    /// Whether MESSAGE-INTEGRITY (HMAC-SHA1) was made with this password. False without one.
    public func isAuthentic(password: [UInt8]) -> Bool {
        guard let offset = integrityOffset else { return false }
        return withUnsafeTemporaryAllocation(byteCount: STUNIntegrity.length, alignment: 1) { expected in
            let prefix = UnsafeRawBufferPointer(rebasing: bytes[..<offset])
            guard STUNIntegrity.write(of: prefix, password: password, into: expected),
                let ours = expected.baseAddress, let all = bytes.baseAddress
            else { return false }
            return CRYPTO_memcmp(ours, all + offset + 4, STUNIntegrity.length) == 0
        }
    }

    /// The address in XOR-MAPPED-ADDRESS: how the answering side saw us.
    public var xorMappedAddress: TransportAddress? {
        guard let value = mappedAddress, value.count >= 8 else { return nil }
        let port = value.number16(2) ^ UInt16(Self.magicCookie >> 16)
        switch (value[1], value.count) {
        case (1, 8):
            return TransportAddress(ipv4: value.number32(4) ^ Self.magicCookie, port: port)
        case (2, 20):
            let high = value.number64(4) ^ bytes.number64(4)
            return TransportAddress(high: high, low: value.number64(12) ^ bytes.number64(12), port: port)
        default:
            return nil
        }
    }

    /// The user name of a Binding request, found without looking at more than is needed: for the table of legs.
    /// Nothing about the message is verified by this.
    public static func username(of datagram: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard hasHeader(datagram), datagram.number16(0) == bindingMethod else { return nil }
        var offset = headerLength
        while offset < datagram.count, let value = value(in: datagram, at: offset) {
            if datagram.number16(offset) == STUNAttribute.username { return value }
            offset = end(of: value, at: offset)
        }
        return nil
    }

    /// The half of `username` before the colon: the ufrag of the side that is asked, which is ours.
    public static func localUfrag(of datagram: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard let username = username(of: datagram) else { return nil }
        return localUfrag(ofUsername: username)
    }

    static func localUfrag(ofUsername username: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard let colon = username.firstIndex(of: UInt8(ascii: ":")), colon > 0 else { return nil }
        return UnsafeRawBufferPointer(rebasing: username[..<colon])
    }

    // MARK: - Structure

    private static func hasHeader(_ datagram: UnsafeRawBufferPointer) -> Bool {
        datagram.count >= headerLength && datagram.count <= maximumLength && datagram.count % 4 == 0
            && datagram[0] < 4 && datagram.number32(4) == magicCookie
            && Int(datagram.number16(2)) == datagram.count - headerLength
    }

    /// The value of the attribute whose header is at `offset`; `nil` when it does not fit.
    private static func value(in datagram: UnsafeRawBufferPointer, at offset: Int) -> UnsafeRawBufferPointer? {
        guard offset + 4 <= datagram.count else { return nil }
        let length = Int(datagram.number16(offset + 2))
        guard offset + 4 + length <= datagram.count else { return nil }
        return UnsafeRawBufferPointer(rebasing: datagram[(offset + 4)..<(offset + 4 + length)])
    }

    /// Where the attribute ends, its padding included.
    private static func end(of value: UnsafeRawBufferPointer, at offset: Int) -> Int { offset + 4 + (value.count + 3) & ~3 }

    /// Takes one attribute over; the first of a kind counts. False when its shape is wrong.
    private mutating func take(_ type: UInt16, _ value: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        if type == STUNAttribute.fingerprint {
            hasFingerprint = true
            return value.count == 4 && offset + 8 == bytes.count
                && value.number32(0) == STUNFingerprint.value(of: UnsafeRawBufferPointer(rebasing: bytes[..<offset]))
        }
        // Nothing behind MESSAGE-INTEGRITY is protected by it, hence nothing there counts (RFC 8489 section 14.5).
        if integrityOffset != nil { return true }
        switch type {
        case STUNAttribute.messageIntegrity:
            integrityOffset = offset
            return value.count == STUNIntegrity.length
        case STUNAttribute.username:
            username = username ?? value
        case STUNAttribute.priority:
            guard value.count == 4 else { return false }
            priority = priority ?? value.number32(0)
        case STUNAttribute.useCandidate:
            useCandidate = true
        case STUNAttribute.iceControlled:
            guard value.count == 8 else { return false }
            controlled = value.number64(0)
        case STUNAttribute.iceControlling:
            guard value.count == 8 else { return false }
            controlling = value.number64(0)
        case STUNAttribute.errorCode:
            guard value.count >= 4 else { return false }
            errorCode = Int(value[2] & 7) * 100 + Int(value[3])
        case STUNAttribute.xorMappedAddress:
            mappedAddress = mappedAddress ?? value
        default:
            if !STUNAttribute.isUnderstood(type), unknownRequired.count < Self.unknownLimit { unknownRequired.append(type) }
        }
        return true
    }
}

extension UnsafeRawBufferPointer {
    /// Big-endian numbers at any offset; the caller has checked the bounds.
    func number16(_ offset: Int) -> UInt16 { UInt16(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self)) }
    func number32(_ offset: Int) -> UInt32 { UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
    func number64(_ offset: Int) -> UInt64 { UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
}
