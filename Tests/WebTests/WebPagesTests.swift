import Testing

@testable import Web

@Suite("Pages embedded in the binary")
struct WebPagesTests {
    private func text(_ path: String) throws -> String {
        String(decoding: try #require(WebPages.page(path: path)).body, as: UTF8.self)
    }

    private func field(_ name: String, of page: WebPage) -> String? {
        page.headers.first { $0.name == name }?.value
    }

    @Test("there is one at each path of the contract, and nowhere else")
    func paths() {
        #expect(WebPages.paths == ["/", "/app.js", "/style.css", "/tandem.js"])
        for path in ["", "/index.html", "//", "/tandem.js/", "/../tandem.js", "/TANDEM.JS", "tandem.js", "/admin"] {
            #expect(WebPages.page(path: path) == nil, "\(path)")
        }
    }

    @Test("a query is the page's business", arguments: ["/?processing=off", "/?to=demo&autocall=1", "/?", "/#call"])
    func query(path: String) throws {
        let page = try #require(WebPages.page(path: path))
        #expect(page.body == WebPages.page(path: "/")?.body)
    }

    @Test(
        "each has its media type",
        arguments: [
            ("/", "text/html; charset=utf-8"), ("/app.js", "text/javascript; charset=utf-8"),
            ("/style.css", "text/css; charset=utf-8"), ("/tandem.js", "text/javascript; charset=utf-8"),
        ])
    func mediaTypes(path: String, type: String) throws {
        let page = try #require(WebPages.page(path: path))
        #expect(page.contentType == type)
        #expect(field("Content-Type", of: page) == type)
        #expect(!page.body.isEmpty)
    }

    @Test("each is protected, and named only once in each header field", arguments: WebPages.paths)
    func protection(path: String) throws {
        let page = try #require(WebPages.page(path: path))
        #expect(field("X-Content-Type-Options", of: page) == "nosniff")
        #expect(field("ETag", of: page) == page.entityTag)
        let policy = try #require(field("Content-Security-Policy", of: page))
        for directive in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self' ws: wss:", "frame-ancestors 'none'"] {
            #expect(policy.contains(directive))
        }
        #expect(!policy.contains("unsafe"))
        #expect(Set(page.headers.map { $0.name.lowercased() }).count == page.headers.count)
        #expect(page.headers.allSatisfy { !$0.value.contains("\n") && !$0.value.contains("\r") })
    }

    @Test("only the library may be imported from elsewhere")
    func crossOrigin() throws {
        for path in WebPages.paths {
            let allowed = field("Access-Control-Allow-Origin", of: try #require(WebPages.page(path: path)))
            #expect(allowed == (path == "/tandem.js" ? "*" : nil))
        }
    }

    @Test("entity tags tell contents apart and stay the same for the same content")
    func entityTags() throws {
        let tags = WebPages.paths.compactMap { WebPages.page(path: $0)?.entityTag }
        #expect(Set(tags).count == WebPages.paths.count)
        for tag in tags {
            #expect(tag.count == 18 && tag.first == "\"" && tag.last == "\"")
        }
        let page = WebPage(contentType: "text/plain", body: Array("foobar".utf8))
        // The published FNV-1a vector for "foobar".
        #expect(page.entityTag == "\"85944171f73967e8\"")
        #expect(WebPage(contentType: "text/plain", body: Array("foobas".utf8)).entityTag != page.entityTag)
    }

    @Test("If-None-Match is read as RFC 9110 writes it")
    func conditional() {
        let page = WebPage(contentType: "text/plain", body: Array("foobar".utf8))
        for field in [page.entityTag, "W/\(page.entityTag)", "*", "\"x\", \(page.entityTag)", " \(page.entityTag) ,\"y\"", "\"x\",\tW/\(page.entityTag)"] {
            #expect(page.isUnchanged(ifNoneMatch: field), "\(field)")
        }
        for field in ["", "\"x\"", ",", "W/", "85944171f73967e8", "\"85944171f73967e8", "w/\(page.entityTag)", "**"] {
            #expect(!page.isUnchanged(ifNoneMatch: field), "\(field)")
        }
    }
}
