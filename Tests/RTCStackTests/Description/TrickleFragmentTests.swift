import RTCStack
import SDP
import Testing

@Suite struct TrickleFragmentTests {
    @Test func candidatesOfABrowser() throws {
        let fragment = try TrickleFragment(
            parsing: "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
                + "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1\r\n"
                + "a=candidate:3471623853 1 udp 2122194687 198.51.100.2 61765 typ host generation 0 ufrag EsAw network-id 2\r\n"
                + "a=end-of-candidates\r\n")
        #expect(fragment.ufrag == "EsAw")
        #expect(fragment.password == "P2uYro0UCOQ4zxjKXaWCBui1")
        #expect(fragment.mid == "0")
        #expect(fragment.endOfCandidates)
        #expect(fragment.candidates.compactMap(CandidateLine.init(parsing:)).map(\.port) == [61764, 61765])
        #expect(!fragment.iceLite)
    }

    @Test func credentialsInsideTheSection() throws {
        let fragment = try TrickleFragment(
            parsing: "m=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:0\na=ice-ufrag:ysXw\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\n")
        #expect(fragment.ufrag == "ysXw")
        #expect(fragment.candidates.isEmpty)
        #expect(!fragment.endOfCandidates)
    }

    @Test func ourRestart() throws {
        let ours = TrickleFragment(
            restartedWith: "newu", password: "0123456789012345678901",
            candidates: [BrowserCandidate(address: "203.0.113.10", port: 40000)], mid: "0")
        #expect(
            ours.text == """
                a=ice-lite
                a=ice-options:ice2 trickle
                a=group:BUNDLE 0
                m=audio 9 UDP/TLS/RTP/SAVPF 0
                a=mid:0
                a=ice-ufrag:newu
                a=ice-pwd:0123456789012345678901
                a=candidate:1 1 udp 2130706431 203.0.113.10 40000 typ host
                a=end-of-candidates

                """.replacing("\n", with: "\r\n"))
        #expect(try TrickleFragment(parsing: ours.text) == ours)
    }

    @Test func refusals() {
        #expect(throws: TrickleFragmentError.empty) { try TrickleFragment(parsing: "") }
        #expect(throws: TrickleFragmentError.empty) { try TrickleFragment(parsing: "m=audio 9 RTP/AVP 0\r\na=mid:0\r\n") }
        #expect(throws: TrickleFragmentError.incompleteCredentials) { try TrickleFragment(parsing: "a=ice-ufrag:EsAw\r\n") }
        #expect(throws: TrickleFragmentError.malformed(.malformedLine(number: 1))) { try TrickleFragment(parsing: "{}") }
    }

    @Test func mutationsNeverTrap() throws {
        let text = TrickleFragment(
            restartedWith: "newu", password: "0123456789012345678901",
            candidates: [BrowserCandidate(address: "203.0.113.10", port: 40000)], mid: "0"
        ).text
        var random = DescriptionRandom(seed: 99)
        var read = 0
        for _ in 0..<5000 {
            guard let fragment = try? TrickleFragment(parsing: random.mutated(text)) else { continue }
            read += 1
            _ = fragment.candidates.map(CandidateLine.init(parsing:))
            let again = try TrickleFragment(parsing: fragment.text)
            #expect(again.candidates == fragment.candidates)
            #expect(again.ufrag == fragment.ufrag)
        }
        #expect(read > 1000)
    }
}
