import RTP

/// Writes one STUN message into storage of the caller's, attribute by attribute; allocates nothing.
///
/// What does not fit is left out and makes `length` 0: the message must not be sent then.
public struct STUNWriter {
    private let storage: UnsafeMutableRawBufferPointer
    private var used = STUNMessage.headerLength
    private var overflowed = false

    /// - Parameters:
    ///   - storage: where the message goes; 256 bytes are enough for any check or answer of ours
    ///   - transaction: 12 bytes; an answer repeats the request's
    public init(
        _ storage: UnsafeMutableRawBufferPointer, _ messageClass: STUNMessage.Class,
        method: UInt16 = STUNMessage.bindingMethod, transaction: UnsafeRawBufferPointer
    ) {
        self.storage = storage
        guard storage.count >= STUNMessage.headerLength, transaction.count == 12 else {
            overflowed = true
            return
        }
        let bits = UInt16(messageClass.rawValue)
        let type = (method & 0xF80) << 2 | (method & 0x070) << 1 | method & 0x00F | (bits & 1) << 4 | (bits & 2) << 7
        put(type, at: 0)
        put(STUNMessage.magicCookie, at: 4)
        UnsafeMutableRawBufferPointer(rebasing: storage[8..<20]).copyMemory(from: transaction)
        setLength()
    }

    /// Bytes of the message so far, 0 if something did not fit.
    public var length: Int { overflowed ? 0 : used }

    public mutating func append(_ type: UInt16, _ value: some Collection<UInt8>) {
        guard let start = open(type, length: value.count) else { return }
        for (index, byte) in value.enumerated() { storage[start + index] = byte }
    }

    public mutating func append(_ type: UInt16, _ number: UInt32) {
        guard let start = open(type, length: 4) else { return }
        put(number, at: start)
    }

    public mutating func append(_ type: UInt16, _ number: UInt64) {
        guard let start = open(type, length: 8) else { return }
        put(number, at: start)
    }

    /// UNKNOWN-ATTRIBUTES.
    public mutating func append(unknownAttributes types: [UInt16]) {
        guard let start = open(STUNAttribute.unknownAttributes, length: types.count * 2) else { return }
        for (index, type) in types.enumerated() { put(type, at: start + index * 2) }
    }

    /// ERROR-CODE.
    public mutating func append(errorCode: Int, reason: StaticString) {
        guard let start = open(STUNAttribute.errorCode, length: 4 + reason.utf8CodeUnitCount) else { return }
        put(UInt32((errorCode / 100) << 8 | (errorCode % 100)), at: start)
        reason.withUTF8Buffer { text in
            for (index, byte) in text.enumerated() { storage[start + 4 + index] = byte }
        }
    }

    /// XOR-MAPPED-ADDRESS (RFC 8489 section 14.2).
    public mutating func append(xorMappedAddress address: TransportAddress) {
        guard let start = open(STUNAttribute.xorMappedAddress, length: address.isIPv4 ? 8 : 20) else { return }
        put(UInt16(address.isIPv4 ? 1 : 2), at: start)
        put(address.port ^ UInt16(STUNMessage.magicCookie >> 16), at: start + 2)
        if address.isIPv4 {
            put(UInt32(truncatingIfNeeded: address.low) ^ STUNMessage.magicCookie, at: start + 4)
        } else {
            let header = UnsafeRawBufferPointer(storage)
            put(address.high ^ header.number64(4), at: start + 4)
            put(address.low ^ header.number64(12), at: start + 12)
        }
    }

    /// MESSAGE-INTEGRITY over everything so far.
    public mutating func appendIntegrity(password: [UInt8]) {
        let covered = used
        guard let start = open(STUNAttribute.messageIntegrity, length: STUNIntegrity.length) else { return }
        let prefix = UnsafeRawBufferPointer(rebasing: storage[..<covered])
        let place = UnsafeMutableRawBufferPointer(rebasing: storage[start..<(start + STUNIntegrity.length)])
        if !STUNIntegrity.write(of: prefix, password: password, into: place) { overflowed = true }
    }

    /// FINGERPRINT: the last attribute.
    public mutating func appendFingerprint() {
        let covered = used
        guard let start = open(STUNAttribute.fingerprint, length: 4) else { return }
        put(STUNFingerprint.value(of: UnsafeRawBufferPointer(rebasing: storage[..<covered])), at: start)
    }

    /// Writes an attribute's header and padding, counts it in the message's length; where its value goes.
    private mutating func open(_ type: UInt16, length: Int) -> Int? {
        let padded = (length + 3) & ~3
        guard !overflowed, length <= UInt16.max, used + 4 + padded <= min(storage.count, STUNMessage.maximumLength) else {
            overflowed = true
            return nil
        }
        put(type, at: used)
        put(UInt16(length), at: used + 2)
        let start = used + 4
        for index in (start + length)..<(start + padded) { storage[index] = 0 }
        used = start + padded
        setLength()
        return start
    }

    private func setLength() { put(UInt16(used - STUNMessage.headerLength), at: 2) }

    private func put<Number: FixedWidthInteger>(_ number: Number, at offset: Int) {
        storage.storeBytes(of: number.bigEndian, toByteOffset: offset, as: Number.self)
    }
}
