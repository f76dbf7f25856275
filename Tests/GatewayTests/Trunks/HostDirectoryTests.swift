import Logging
import NIOConcurrencyHelpers
import Testing

@testable import Gateway

/// Names of trunk hosts and the addresses they are known by.
@Suite struct HostDirectoryTests {
    private static func trunk(_ hosts: String...) -> Trunk {
        var trunk = Trunk(name: "acme")
        trunk.hosts = hosts.compactMap { TrunkHost($0) }
        return trunk
    }

    @Test func namesAreKnownOnceAskedForAndForgottenWhenNobodyWantsThem() async {
        let answers = NIOLockedValueBox(["sip.acme.example": ["192.0.2.1", "192.0.2.2"]])
        let directory = HostDirectory(logger: Logger(label: "test")) { name in answers.withLockedValue { $0[name] ?? [] } }
        #expect(directory.addresses(of: "sip.acme.example").isEmpty)
        await directory.resolve([Self.trunk("sip:sip.acme.example", "sip:192.0.2.9", "sip:unknown.example")])
        #expect(directory.addresses(of: "sip.acme.example") == ["192.0.2.1", "192.0.2.2"])
        #expect(directory.addresses(of: "unknown.example").isEmpty)
        // A lookup that fails leaves what was known.
        answers.withLockedValue { $0 = [:] }
        await directory.resolve([Self.trunk("sip:sip.acme.example")])
        #expect(directory.addresses(of: "sip.acme.example") == ["192.0.2.1", "192.0.2.2"])
        await directory.resolve([])
        #expect(directory.addresses(of: "sip.acme.example").isEmpty)
    }

    @Test func theSystemKnowsThisMachine() {
        #expect(!HostDirectory.system("localhost").isEmpty)
        #expect(HostDirectory.system("192.0.2.7") == ["192.0.2.7"])
        #expect(HostDirectory.system("no such name").isEmpty)
    }
}
