import Testing

@testable import Web

@Suite("Pages embedded in the binary")
struct WebPagesTests {
    @Test("there is one at each path of the contract, and nowhere else")
    func paths() {
        #expect(WebPages.paths == ["/", "/app.js", "/style.css", "/tandem.js"])
    }
}
