import COpenSSL

/// AEAD_AES_128_GCM (RFC 7714) on kept OpenSSL contexts.
final class GCMTransform: SRTPTransform {
    private let packets: Cipher
    private let controls: Cipher

    private static let tagLength = 16

    /// - Parameter master: 16 bytes of master key and 12 of salt
    init?(master: [UInt8], seals: Bool) {
        let keys = SessionKeys(master: master)
        guard let key = keys.derive(.encryption, count: 16), let salt = keys.derive(.salt, count: Cipher.vectorLength),
            let controlKey = keys.derive(.controlEncryption, count: 16),
            let controlSalt = keys.derive(.controlSalt, count: Cipher.vectorLength),
            let packets = Cipher(key: key, salt: salt, seals: seals),
            let controls = Cipher(key: controlKey, salt: controlSalt, seals: seals)
        else { return nil }
        self.packets = packets
        self.controls = controls
    }

    func seal(_ packet: SRTPPacket) -> Bool {
        packets.begin(packet.ssrc, packet.index) && packets.authenticate(packet.bytes, packet.clear)
            && packets.seal(packet.bytes + packet.clear, packet.length - packet.clear)
    }

    func open(_ packet: SRTPPacket) -> Bool {
        packets.begin(packet.ssrc, packet.index) && packets.authenticate(packet.bytes, packet.clear)
            && packets.open(packet.bytes + packet.clear, packet.length - packet.clear)
    }

    func sealControl(_ packet: SRTPPacket) -> Bool {
        let word = packet.bytes + controlIndexOffset(packet.length)
        word.storeBytes(of: (UInt32(truncatingIfNeeded: packet.index) | SRTPStream.encryptedFlag).bigEndian, as: UInt32.self)
        return controls.begin(packet.ssrc, packet.index) && controls.authenticate(packet.bytes, packet.clear)
            && controls.authenticate(word, 4) && controls.seal(packet.bytes + packet.clear, packet.length - packet.clear)
    }

    func openControl(_ packet: SRTPPacket) -> Bool {
        controls.begin(packet.ssrc, packet.index) && controls.authenticate(packet.bytes, packet.clear)
            && controls.authenticate(packet.bytes + controlIndexOffset(packet.length), 4)
            && controls.open(packet.bytes + packet.clear, packet.length - packet.clear)
    }

    /// Behind the tag (RFC 7714 section 9.2).
    func controlIndexOffset(_ plain: Int) -> Int { plain + Self.tagLength }

    /// One session key's context: in OpenSSL a direction is fixed with the key.
    private final class Cipher {
        static let vectorLength = 12

        private let context: OpaquePointer
        private let salt: UnsafeMutablePointer<UInt8>
        private let vector: UnsafeMutablePointer<UInt8>
        private let seals: Bool

        init?(key: [UInt8], salt bytes: [UInt8], seals: Bool) {
            guard let context = EVP_CIPHER_CTX_new() else { return nil }
            guard EVP_CipherInit_ex(context, EVP_aes_128_gcm(), nil, key, nil, seals ? 1 : 0) == 1 else {
                EVP_CIPHER_CTX_free(context)
                return nil
            }
            self.context = context
            self.seals = seals
            salt = .allocate(capacity: Self.vectorLength)
            salt.initialize(from: bytes, count: Self.vectorLength)
            vector = .allocate(capacity: Self.vectorLength)
        }

        deinit {
            EVP_CIPHER_CTX_free(context)
            OPENSSL_cleanse(salt, Self.vectorLength)
            salt.deallocate()
            vector.deallocate()
        }

        /// The vector of RFC 7714 sections 8.1 and 9.1: two zero bytes, SSRC, and the index, XOR salt.
        func begin(_ ssrc: UInt32, _ index: UInt64) -> Bool {
            let bytes = UnsafeMutableRawPointer(vector)
            bytes.storeBytes(of: 0, as: UInt16.self)
            bytes.storeBytes(of: ssrc.bigEndian, toByteOffset: 2, as: UInt32.self)
            bytes.storeBytes(of: UInt16(truncatingIfNeeded: index >> 32).bigEndian, toByteOffset: 6, as: UInt16.self)
            bytes.storeBytes(of: UInt32(truncatingIfNeeded: index).bigEndian, toByteOffset: 8, as: UInt32.self)
            for position in 0..<Self.vectorLength { vector[position] ^= salt[position] }
            return EVP_CipherInit_ex(context, nil, nil, nil, vector, seals ? 1 : 0) == 1
        }

        func authenticate(_ bytes: UnsafeMutableRawPointer, _ count: Int) -> Bool {
            var written: Int32 = 0
            return EVP_CipherUpdate(context, nil, &written, bytes, Int32(truncatingIfNeeded: count)) == 1
        }

        func seal(_ bytes: UnsafeMutableRawPointer, _ count: Int) -> Bool {
            transform(bytes, count) && finish(bytes + count)
                && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(GCMTransform.tagLength), bytes + count) == 1
        }

        func open(_ bytes: UnsafeMutableRawPointer, _ count: Int) -> Bool {
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(GCMTransform.tagLength), bytes + count) == 1
                && transform(bytes, count) && finish(bytes + count)
        }

        private func transform(_ bytes: UnsafeMutableRawPointer, _ count: Int) -> Bool {
            guard count > 0 else { return true }
            var written: Int32 = 0
            return EVP_CipherUpdate(context, bytes, &written, bytes, Int32(truncatingIfNeeded: count)) == 1
        }

        /// Computes or verifies the tag; a stream cipher writes nothing at its end.
        private func finish(_ end: UnsafeMutableRawPointer) -> Bool {
            var written: Int32 = 0
            return EVP_CipherFinal_ex(context, end, &written) == 1
        }
    }
}
