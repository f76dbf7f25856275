import Testing

@testable import Gateway

@Suite("Agent socket: addresses")
struct SocketURLTests {
    typealias URL = WebSocketAgentTransport.URL

    @Test("parts of an address", arguments: [
        ("ws://agents.example", false, "agents.example", 80, "/", "agents.example"),
        ("WSS://agents.example/media", true, "agents.example", 443, "/media", "agents.example"),
        ("ws://agents.example:8080?a=1", false, "agents.example", 8080, "/?a=1", "agents.example:8080"),
        ("wss://agents.example:443/x?y=/z", true, "agents.example", 443, "/x?y=/z", "agents.example"),
        ("ws://[2001:db8::1]:9000/", false, "2001:db8::1", 9000, "/", "[2001:db8::1]:9000"),
        ("wss://192.0.2.7/", true, "192.0.2.7", 443, "/", "192.0.2.7"),
    ])
    func parts(_ text: String, isSecure: Bool, host: String, port: Int, target: String, hostField: String) throws {
        let url = try #require(URL(text))
        #expect(url.isSecure == isSecure)
        #expect(url.host == host)
        #expect(url.port == port)
        #expect(url.target == target)
        #expect(url.hostField == hostField)
    }

    @Test("what is no address", arguments: [
        "", "ws://", "wss:///path", "http://agents.example/", "agents.example", "ws://user@agents.example/", "ws://user:pw@agents.example/",
        "ws://agents.example:0/", "ws://agents.example:65536/", "ws://agents.example:/", "ws://agents.example/#part", "ws://agents example/",
        "ws://agents.example/ä", "ws://agents.example/\r\nX: 1", "ws://[::1/", "ws://a..b/",
    ])
    func refused(_ text: String) {
        #expect(URL(text) == nil)
    }

    @Test("a name goes into SNI, an address does not")
    func serverName() {
        #expect(URL("wss://agents.example/")?.serverName == "agents.example")
        #expect(URL("wss://192.0.2.7/")?.serverName == nil)
        #expect(URL("wss://[2001:db8::1]/")?.serverName == nil)
    }
}
