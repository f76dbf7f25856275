import Testing

@testable import Web

@Suite("What the pages contain")
struct PageContentTests {
    private func text(_ path: String) throws -> String {
        String(decoding: try #require(WebPages.page(path: path)).body, as: UTF8.self)
    }

    @Test("the demo page has every element that tests and scripts rely on, once")
    func elements() throws {
        let page = try text("/")
        let names = [
            "destination", "call", "hangup", "keypad", "mute", "state", "cause", "rtt", "loss", "jitter", "codec", "timer",
            "input-level", "output-level", "remote-audio", "incoming", "accept", "decline", "user", "sign-in", "user-state",
        ]
        for name in names {
            #expect(page.split(separator: " id=\"\(name)\"", omittingEmptySubsequences: false).count == 2, "\(name)")
        }
        for digit in "0123456789*#" {
            #expect(page.contains("data-digit=\"\(digit)\""), "\(digit)")
        }
    }

    @Test("whatever the script looks up by its id is there")
    func lookups() throws {
        let page = try text("/")
        let names = try text("/app.js").split(separator: "element('").dropFirst().compactMap { $0.split(separator: "'").first }
        #expect(names.count > 20)
        for name in names {
            #expect(page.contains(" id=\"\(name)\""), "\(name)")
        }
    }

    @Test("nothing is inline, for the policy would refuse it")
    func inline() throws {
        let page = try text("/").lowercased()
        #expect(!page.contains("<style"))
        #expect(!page.contains(" style="))
        #expect(!page.contains("javascript:"))
        // A script element ends where it begins: its code is in its file.
        for piece in page.split(separator: "<script").dropFirst() {
            #expect(piece.contains("></script>") && piece.contains(" src="))
        }
        for handler in [" onclick=", " onload=", " onsubmit=", " onerror=", " onchange="] {
            #expect(!page.contains(handler))
        }
    }

    @Test("nothing comes from elsewhere: a gateway without a way out shows the whole page")
    func elsewhere() throws {
        for path in ["/", "/app.js", "/style.css"] {
            let content = try text(path)
                .replacing("http://www.w3.org/2000/svg", with: "")
            #expect(!content.contains("http://") && !content.contains("https://"), "\(path)")
        }
        let library = try text("/tandem.js")
        #expect(!library.contains("from '.") && !library.contains("import("))
    }

    @Test("every word a call can end with has its sentence")
    func causes() throws {
        let library = try text("/tandem.js")
        let words = [
            "caller_hangup", "callee_hangup", "agent_hangup", "busy", "no_answer", "rejected", "unreachable", "agent_unavailable", "agent_lost",
            "media_timeout", "connection_lost", "no_route", "refused", "overload", "draining", "transferred", "failed",
        ]
        for word in words {
            #expect(library.contains("  \(word): '"), "\(word)")
        }
        #expect(library.contains("tandem.signal.v1"))
        #expect(library.contains("export class TandemCall") && library.contains("export class TandemUser"))
    }
}
