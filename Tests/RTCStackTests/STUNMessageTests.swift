import RTCStack
import RTP
import TestKit
import Testing

/// The vectors of RFC 5769, and what is no STUN.
@Suite struct STUNMessageTests {
    private static let password = Array("VOkJxbRl1RmTxUk/WvJxBt".utf8)
    static let request = bytes(
        "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151263b36"
            + "000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf")
    private static let responseIPv4 = bytes(
        "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643000800142b91f599fd9e90c3"
            + "8c7489f92af9ba53f06be7d780280004c07d4c96")
    private static let responseIPv6 = bytes(
        "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
            + "00080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c")
    private static let longTerm = bytes(
        "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b900000015001c662f2f3439396b39353464364f"
            + "4c33346f4c394653547679363473410014000b6578616d706c652e6f72670000080014f67024656dd64a3e02b8e0712e85c9a28ca89666")

    static func bytes(_ text: String) -> [UInt8] {
        let digits = Array(text.utf8)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(String(decoding: digits[$0..<($0 + 2)], as: UTF8.self), radix: 16) ?? 0 }
    }

    @Test func request() {
        Self.request.withUnsafeBytes { bytes in
            guard let message = STUNMessage(bytes) else {
                Issue.record("not read")
                return
            }
            #expect(message.messageClass == .request && message.method == STUNMessage.bindingMethod)
            #expect(message.username.map { String(decoding: $0, as: UTF8.self) } == "evtj:h6vY")
            #expect(message.priority == 0x6E00_01FF)
            #expect(message.controlled == 0x932F_F9B1_5126_3B36 && message.controlling == nil && !message.useCandidate)
            #expect(message.hasFingerprint && message.hasIntegrity && message.unknownRequired.isEmpty)
            #expect(message.isAuthentic(password: Self.password))
            #expect(!message.isAuthentic(password: Self.password.dropLast()))
            #expect(STUNMessage.localUfrag(of: bytes).map { String(decoding: $0, as: UTF8.self) } == "evtj")
        }
    }

    @Test func responses() {
        for (bytes, host) in [(Self.responseIPv4, "192.0.2.1"), (Self.responseIPv6, "2001:db8:1234:5678:11:2233:4455:6677")] {
            bytes.withUnsafeBytes { bytes in
                let message = STUNMessage(bytes)
                #expect(message?.messageClass == .success)
                #expect(message?.isAuthentic(password: Self.password) == true)
                #expect(message?.xorMappedAddress == TransportAddress(host: host, port: 32853))
                #expect(STUNMessage.username(of: bytes) == nil)
            }
        }
    }

    /// Long-term credentials are not ours; the key under which this one is signed is MD5 of user, realm and password.
    @Test func longTermRequest() {
        Self.longTerm.withUnsafeBytes { bytes in
            let message = STUNMessage(bytes)
            #expect(message?.username?.count == 18)
            #expect(message?.unknownRequired == [])
            #expect(message?.hasFingerprint == false)
            #expect(message?.isAuthentic(password: Self.bytes("e8ca7ad59d5eb0518e312911d2dab2a9")) == true)
        }
    }

    /// The same attributes in the vectors' order give the vector, but for its padding of spaces.
    @Test func writing() {
        let storage = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 8)
        defer { storage.deallocate() }
        Self.responseIPv4.withUnsafeBytes { vector in
            guard let message = STUNMessage(vector) else { return }
            for host in ["192.0.2.1", "2001:db8:1234:5678:11:2233:4455:6677"] {
                guard let address = TransportAddress(host: host, port: 32853) else { continue }
                var writer = STUNWriter(storage, .success, transaction: message.transaction)
                writer.append(xorMappedAddress: address)
                writer.appendIntegrity(password: Self.password)
                writer.appendFingerprint()
                let written = STUNMessage(UnsafeRawBufferPointer(rebasing: storage[..<writer.length]))
                #expect(written?.xorMappedAddress == address)
                #expect(written?.isAuthentic(password: Self.password) == true)
                #expect(written?.hasFingerprint == true)
                #expect(written.map { Array($0.transaction) } == Array(message.transaction))
                let value = Array(storage[24..<(address.isIPv4 ? 32 : 44)])
                #expect(value == (address.isIPv4 ? Array(vector[40..<48]) : Array(Self.responseIPv6[40..<60])))
            }
        }
    }

    @Test func writingPastTheEnd() {
        let storage = UnsafeMutableRawBufferPointer.allocate(byteCount: 40, alignment: 8)
        defer { storage.deallocate() }
        [UInt8](repeating: 1, count: 12).withUnsafeBytes { transaction in
            var writer = STUNWriter(storage, .request, transaction: transaction)
            writer.append(STUNAttribute.username, "0123456789".utf8)
            #expect(writer.length == 36)
            writer.append(STUNAttribute.priority, UInt32(1))
            #expect(writer.length == 0)
        }
    }

    /// Each truncation, and each single changed byte: never read as authentic. What follows MESSAGE-INTEGRITY is not covered by
    /// it; there a wrong FINGERPRINT is the damage, and another type than FINGERPRINT's is none.
    @Test func damage() {
        for length in 0..<Self.request.count {
            #expect(Self.request[..<length].withUnsafeBytes { STUNMessage($0) == nil })
        }
        for index in Self.request.indices where !(100...101).contains(index) {
            var bytes = Self.request
            bytes[index] ^= 0x10
            let isAuthentic = bytes.withUnsafeBytes { STUNMessage($0)?.isAuthentic(password: Self.password) ?? false }
            #expect(!isAuthentic, "byte \(index)")
        }
    }
}
