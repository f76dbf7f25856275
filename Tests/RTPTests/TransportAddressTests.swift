import Glibc
import Testing

@testable import RTP

@Suite struct TransportAddressTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1:5060"), ("2001:db8::1", "[2001:db8::1]:5060"), ("[::1]", "[::1]:5060"),
        ("::ffff:192.0.2.7", "192.0.2.7:5060"), ("0.0.0.0", "0.0.0.0:5060"),
    ])
    func readsAndPrints(_ host: String, _ description: String) {
        #expect(TransportAddress(host: host, port: 5_060)?.description == description)
    }

    @Test(arguments: ["", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "::g", "1.2.3.4 ", "[]", "1.2.3.4\0"])
    func refuses(_ host: String) {
        #expect(TransportAddress(host: host, port: 1) == nil)
    }

    @Test func refusesPortsThatDoNotExist() {
        #expect(TransportAddress(host: "1.2.3.4", port: 65_536) == nil)
        #expect(TransportAddress(host: "1.2.3.4", port: -1) == nil)
    }

    @Test(arguments: ["192.0.2.7", "2001:db8::1:2", "::1", "255.255.255.255"])
    func survivesTheKernelsForm(_ host: String) throws {
        let address = try #require(TransportAddress(host: host, port: 40_001))
        for family in [TransportAddress.SocketFamily.native, .ipv6] {
            let copy = address.withSockaddr(for: family) { pointer, length in
                let expected = family == .ipv6 || !address.isIPv4 ? AF_INET6 : AF_INET
                #expect(Int32(pointer.pointee.sa_family) == expected)
                return TransportAddress(sockaddr: UnsafeRawPointer(pointer), length: Int(length))
            }
            #expect(copy == address)
        }
    }

    @Test func keepsTheScopeOfLinkLocalAddresses() {
        let address = TransportAddress(high: 0xFE80 << 48, low: 1, scope: 3, port: 9)
        let copy = address.withSockaddr { TransportAddress(sockaddr: UnsafeRawPointer($0), length: Int($1)) }
        #expect(copy == address)
        #expect(copy?.scope == 3)
    }

    @Test func refusesOtherFamiliesAndShortOnes() throws {
        let address = try #require(TransportAddress(host: "192.0.2.7", port: 1))
        address.withSockaddr { pointer, length in
            #expect(TransportAddress(sockaddr: UnsafeRawPointer(pointer), length: Int(length) - 1) == nil)
            #expect(TransportAddress(sockaddr: UnsafeRawPointer(pointer), length: 0) == nil)
        }
        var other = sockaddr()
        other.sa_family = sa_family_t(AF_UNIX)
        #expect(TransportAddress(sockaddr: &other, length: MemoryLayout<sockaddr>.size) == nil)
    }

    @Test func knowsWhatItIs() throws {
        #expect(try #require(TransportAddress(host: "127.9.9.9", port: 1)).isLoopback)
        #expect(try #require(TransportAddress(host: "::1", port: 1)).isLoopback)
        #expect(!(try #require(TransportAddress(host: "128.0.0.1", port: 1)).isLoopback))
        #expect(try #require(TransportAddress(host: "0.0.0.0", port: 1)).isUnspecified)
        #expect(try #require(TransportAddress(host: "::", port: 1)).isUnspecified)
        #expect(!(try #require(TransportAddress(host: "::1", port: 1)).isUnspecified))
    }

    @Test(arguments: [
        ("198.51.100.0/28", "198.51.100.15", true), ("198.51.100.0/28", "198.51.100.16", false),
        ("198.51.100.9/28", "198.51.100.1", true), ("127.0.0.0/8", "127.255.0.1", true),
        ("0.0.0.0/0", "203.0.113.1", true), ("0.0.0.0/0", "2001:db8::1", false), ("10.1.2.3", "10.1.2.3", true),
        ("10.1.2.3", "10.1.2.4", false), ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/32", "2001:db9::", false), ("2001:db8::/65", "2001:db8::7fff:0:0:1", true),
        ("2001:db8::/65", "2001:db8::8000:0:0:1", false), ("::/0", "2001:db8::1", true),
    ])
    func prefixes(_ prefix: String, _ host: String, _ isInside: Bool) throws {
        let address = try #require(TransportAddress(host: host, port: 7))
        #expect(try #require(AddressPrefix(prefix)).contains(address) == isInside)
    }

    @Test(arguments: ["", "/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "::/129", "10.0.0.0/8/8", "name/8", "::/+1"])
    func refusesPrefix(_ text: String) {
        #expect(AddressPrefix(text) == nil)
    }
}
