import COpenSSL

/// Session keys of one direction, derived from its master key and salt (RFC 3711 section 4.3; key derivation rate 0).
struct SessionKeys {
    /// The labels of RFC 3711 section 4.3.2.
    enum Label: UInt8 {
        case encryption = 0
        case authentication = 1
        case salt = 2
        case controlEncryption = 3
        case controlAuthentication = 4
        case controlSalt = 5
    }

    private static let keyLength = 16
    /// The salt as key derivation wants it; a shorter one is followed by zeros (RFC 7714 section 11).
    private static let saltLength = 14
    private static let blockLength = 16
    /// The label is XORed to the salt seven bytes from its end: there the index divided by the rate, 0, is 48 bits.
    private static let labelOffset = saltLength - 7

    private var key: [UInt8]
    private var salt: [UInt8]

    /// - Parameter master: 16 bytes of master key, then the salt of at most 14
    init(master: [UInt8]) {
        key = Array(master.prefix(Self.keyLength))
        salt = Array(master.dropFirst(Self.keyLength).prefix(Self.saltLength))
        salt += [UInt8](repeating: 0, count: Self.saltLength - salt.count)
    }

    /// - Returns: `count` bytes of keystream for a label; `nil` when OpenSSL refuses.
    func derive(_ label: Label, count: Int) -> [UInt8]? {
        guard let cipher = EVP_CIPHER_CTX_new() else { return nil }
        defer { EVP_CIPHER_CTX_free(cipher) }
        var counter = salt + [UInt8](repeating: 0, count: Self.blockLength - Self.saltLength)
        counter[Self.labelOffset] ^= label.rawValue
        var stream = [UInt8](repeating: 0, count: count)
        let zeros = stream
        var written: Int32 = 0
        guard EVP_EncryptInit_ex(cipher, EVP_aes_128_ctr(), nil, key, counter) == 1,
            EVP_EncryptUpdate(cipher, &stream, &written, zeros, Int32(count)) == 1, Int(written) == count
        else { return nil }
        return stream
    }
}
