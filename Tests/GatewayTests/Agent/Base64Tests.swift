import Foundation
import TestKit
import Testing

@testable import Gateway

@Suite struct Base64Tests {
    private func decode(_ text: String) -> [UInt8]? {
        Array(text.utf8).withUnsafeBytes { bytes in
            guard let count = Base64.decodedLength(bytes) else { return nil }
            var result = [UInt8](repeating: 0, count: count)
            var written = 0
            Base64.decode(bytes) { place, byte in
                result[place] = byte
                written += 1
            }
            return written == count ? result : nil
        }
    }

    @Test func agreesWithFoundation() {
        var generator = SeededGenerator(seed: 1)
        for count in Array(0..<200) + [4096, 240_000] {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let expected = Data(bytes).base64EncodedString()
            var encoded = [UInt8](repeating: 0, count: Base64.encodedLength(count))
            encoded.withUnsafeMutableBytes { target in bytes.withUnsafeBytes { Base64.encode($0, into: target) } }
            #expect(String(decoding: encoded, as: UTF8.self) == expected)
            #expect(decode(expected) == bytes)
        }
    }

    @Test func toleratesWhatAgentsWrite() {
        #expect(decode("QUI") == [65, 66])
        #expect(decode("QQ") == [65])
        #expect(decode("") == [])
        #expect(decode(#"\/\/\/\/"#) == [255, 255, 255])
        #expect(decode("_-__") == decode("/+//"))
    }

    @Test(arguments: ["A", "AAAAA", "A=AA", "QQ==QQ==", "QU I", "QUI\n", "ä", "!"]) func refusesWhatIsNone(_ text: String) {
        #expect(decode(text) == nil)
    }
}
