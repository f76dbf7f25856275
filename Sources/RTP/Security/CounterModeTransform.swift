import COpenSSL

/// AES_CM_128_HMAC_SHA1_80 (RFC 3711 sections 4.1.1 and 4.2.1) on kept OpenSSL contexts. Encryption and decryption are the same.
final class CounterModeTransform: SRTPTransform {
    private let packets: Cipher
    private let controls: Cipher
    private let packetTags: MessageDigest
    private let controlTags: MessageDigest

    private static let tagLength = 10
    private static let authenticationKeyLength = 20

    /// - Parameter master: 16 bytes of master key and 14 of salt
    init?(master: [UInt8]) {
        let keys = SessionKeys(master: master)
        guard let packets = Cipher(keys, .encryption, .salt), let controls = Cipher(keys, .controlEncryption, .controlSalt),
            let key = keys.derive(.authentication, count: Self.authenticationKeyLength),
            let controlKey = keys.derive(.controlAuthentication, count: Self.authenticationKeyLength),
            let packetTags = MessageDigest(key: key), let controlTags = MessageDigest(key: controlKey)
        else { return nil }
        self.packets = packets
        self.controls = controls
        self.packetTags = packetTags
        self.controlTags = controlTags
    }

    func seal(_ packet: SRTPPacket) -> Bool {
        guard packets.apply(packet) else { return false }
        (packet.bytes + packet.length).copyMemory(from: packetTag(packet), byteCount: Self.tagLength)
        return true
    }

    func open(_ packet: SRTPPacket) -> Bool {
        guard CRYPTO_memcmp(packetTag(packet), packet.bytes + packet.length, Self.tagLength) == 0 else { return false }
        return packets.apply(packet)
    }

    func sealControl(_ packet: SRTPPacket) -> Bool {
        guard controls.apply(packet) else { return false }
        let word = (UInt32(truncatingIfNeeded: packet.index) | SRTPStream.encryptedFlag).bigEndian
        packet.bytes.storeBytes(of: word, toByteOffset: packet.length, as: UInt32.self)
        (packet.bytes + packet.length + 4).copyMemory(from: controlTag(packet), byteCount: Self.tagLength)
        return true
    }

    func openControl(_ packet: SRTPPacket) -> Bool {
        guard CRYPTO_memcmp(controlTag(packet), packet.bytes + packet.length + 4, Self.tagLength) == 0 else { return false }
        return controls.apply(packet)
    }

    /// Before the tag (RFC 3711 section 3.4).
    func controlIndexOffset(_ plain: Int) -> Int { plain }

    /// Over the packet and the rollover counter, which is not sent (RFC 3711 section 4.2).
    private func packetTag(_ packet: SRTPPacket) -> UnsafeMutablePointer<UInt8> {
        var rollover = UInt32(truncatingIfNeeded: packet.index >> 16).bigEndian
        return packetTags.digest(packet.bytes, packet.length, followedBy: &rollover)
    }

    /// Over the packet and the index word behind it.
    private func controlTag(_ packet: SRTPPacket) -> UnsafeMutablePointer<UInt8> {
        controlTags.digest(packet.bytes, packet.length + 4, followedBy: nil)
    }

    /// AES in counter mode under one session key and salt.
    private final class Cipher {
        private static let saltLength = 14
        private static let blockLength = 16

        private let context: OpaquePointer
        private let salt: UnsafeMutablePointer<UInt8>
        private let counter: UnsafeMutablePointer<UInt8>

        init?(_ keys: SessionKeys, _ keyLabel: SessionKeys.Label, _ saltLabel: SessionKeys.Label) {
            guard let key = keys.derive(keyLabel, count: 16), let bytes = keys.derive(saltLabel, count: Self.saltLength),
                let context = EVP_CIPHER_CTX_new()
            else { return nil }
            guard EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), nil, key, nil) == 1 else {
                EVP_CIPHER_CTX_free(context)
                return nil
            }
            self.context = context
            salt = .allocate(capacity: Self.saltLength)
            salt.initialize(from: bytes, count: Self.saltLength)
            counter = .allocate(capacity: Self.blockLength)
        }

        deinit {
            EVP_CIPHER_CTX_free(context)
            OPENSSL_cleanse(salt, Self.saltLength)
            salt.deallocate()
            counter.deallocate()
        }

        /// Salt, SSRC and index, each shifted to its place, and sixteen bits that count blocks (RFC 3711 section 4.1.1).
        func apply(_ packet: SRTPPacket) -> Bool {
            let bytes = UnsafeMutableRawPointer(counter)
            bytes.storeBytes(of: 0, as: UInt32.self)
            bytes.storeBytes(of: packet.ssrc.bigEndian, toByteOffset: 4, as: UInt32.self)
            bytes.storeBytes(of: (packet.index << 16).bigEndian, toByteOffset: 8, as: UInt64.self)
            for position in 0..<Self.saltLength { counter[position] ^= salt[position] }
            let count = packet.length - packet.clear
            guard count > 0 else { return true }
            let payload = packet.bytes + packet.clear
            var written: Int32 = 0
            return EVP_EncryptInit_ex(context, nil, nil, nil, counter) == 1
                && EVP_EncryptUpdate(context, payload, &written, payload, Int32(truncatingIfNeeded: count)) == 1
        }
    }
}
