import Testing
@testable import Gateway

@Suite struct OriginPolicyTests {
    @Test(arguments: [
        (nil, "a.example", OriginPolicy.Verdict.none),
        ("https://shop.example", "a.example", .allowed("https://shop.example")),
        ("https://SHOP.example", "a.example", .allowed("https://SHOP.example")),
        ("http://shop.example", "a.example", .foreign),
        ("https://shop.example:8443", "a.example", .foreign),
        ("https://evil.example", "a.example", .foreign),
        ("null", "null", .foreign),
        ("", "", .foreign),
        ("http://", "", .foreign),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", .same),
        ("http://127.0.0.1:8080", "127.0.0.1:8081", .foreign),
        ("https://a.example", "a.example", .same),
        ("https://a.example", "A.example:443", .same),
        ("http://a.example", "a.example:80", .same),
        ("http://a.example", "a.example:443", .foreign),
        ("http://[::1]:8080", "[::1]:8080", .same),
        ("https://a.example", nil, .foreign),
        ("https://shop.example, https://a.example", "a.example", .foreign),
    ] as [(String?, String?, OriginPolicy.Verdict)])
    func verdict(origin: String?, host: String?, wanted: OriginPolicy.Verdict) {
        #expect(OriginPolicy(origins: ["https://shop.example"]).verdict(origin: origin, host: host) == wanted)
    }
}
