import Testing

@testable import SIPStack

@Suite struct SIPStreamFramerTests {
    private func frame(_ pieces: [[UInt8]]) -> [SIPStreamFramer.Output] {
        var framer = SIPStreamFramer()
        var out: [SIPStreamFramer.Output] = []
        for piece in pieces { framer.receive(piece, into: &out) }
        return out
    }

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func messagesAreCutWhereverTheBytesBreak() {
        let first = bytes(Caller().invite())
        let second = bytes(Caller().request("OPTIONS"))
        let stream = first + second + first
        let expected: [SIPStreamFramer.Output] = [.message(first), .message(second), .message(first)]
        #expect(frame([stream]) == expected)
        #expect(frame(stream.map { [$0] }) == expected)
        var random = SplitMix(3)
        for _ in 0..<200 {
            var pieces: [[UInt8]] = []
            var rest = stream[...]
            while !rest.isEmpty {
                let count = min(rest.count, 1 + Int(random.next() % 300))
                pieces.append(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(frame(pieces) == expected)
        }
    }

    @Test func keepAlivesBetweenMessages() {
        let message = bytes(Caller().request("OPTIONS"))
        #expect(frame([bytes("\r\n\r\n"), message, bytes("\r\n"), message, bytes("\r\n\r\n")]) == [.keepAlive, .message(message), .message(message), .keepAlive])
        #expect(frame(bytes("\r\n\r\n").map { [$0] }) == [.keepAlive])
    }

    @Test func compactAndFoldedContentLength() {
        for field in ["l: 4", "L : 4", "content-length:\r\n 4"] {
            let message = bytes("OPTIONS sip:a SIP/2.0\r\n\(field)\r\n\r\nbody")
            #expect(frame([message + message]) == [.message(message), .message(message)], "\(field)")
        }
    }

    @Test func whatIsNoSIPBreaksTheStream() {
        func isBroken(_ pieces: [[UInt8]]) -> Bool {
            if case .broken? = frame(pieces).last { true } else { false }
        }
        #expect(isBroken([[0x16, 3, 1, 2, 0, 1]]))
        #expect(isBroken([bytes("GET / HTTP/1.1\r\n")]))
        #expect(isBroken([Array(repeating: 65, count: 9_000)]))
        #expect(isBroken([bytes("OPTIONS sip:a SIP/2.0\r\nContent-Length: 70000\r\n\r\n")]))
        #expect(isBroken([bytes("OPTIONS sip:a SIP/2.0\r\n"), Array(repeating: bytes("X: yyyyyyyyyyyyyy\r\n"), count: 5_000).flatMap { $0 }]))
        #expect(!isBroken([bytes("OPTIONS sip:a SIP/2.0\r\n")]))
    }

    @Test func aBadContentLengthYieldsTheMessageAndThenBreaks() {
        let message = bytes("OPTIONS sip:a SIP/2.0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")
        let out = frame([message, bytes(Caller().invite())])
        #expect(out.count == 2 && out.first == .message(message))
    }

    /// Half a megabyte of header, byte by byte, must not take quadratic time; the size limit ends it.
    @Test func slowSendersCostLinearTime() {
        var framer = SIPStreamFramer()
        var out: [SIPStreamFramer.Output] = []
        framer.receive(bytes("OPTIONS sip:a SIP/2.0\r\n"), into: &out)
        for _ in 0..<524_288 { framer.receive([65], into: &out) }
        #expect(out.count == 1)
    }
}
