import Foundation
import NIOCore
import TestKit
import Testing

@testable import Gateway

@Suite struct JSONScannerTests {
    /// "outer.inner=value" of each leaf; nil when the text is refused.
    private func leaves(_ text: String) -> [String]? {
        Array(text.utf8).withUnsafeBytes { bytes in
            var list: [String] = []
            let isObject = JSONScanner.scan(bytes) { leaf in
                let inner = leaf.inner.map { "." + String(decoding: $0, as: UTF8.self) } ?? ""
                list.append(
                    String(decoding: leaf.outer, as: UTF8.self) + inner + (leaf.isString ? "=" : ":") + String(decoding: leaf.value, as: UTF8.self))
            }
            return isObject ? list : nil
        }
    }

    @Test func reportsTwoLevels() {
        let text = #" { "event" : "media", "media": {"payload":"AA\"==", "n": -1.5e3, "deep": {"x": "y"}}, "t":true, "list":[1,"a",{"k":"v"}], "e":{} } "#
        // Of the outermost object also the whole text of what is no leaf.
        let media = #"media:{"payload":"AA\"==", "n": -1.5e3, "deep": {"x": "y"}}"#
        #expect(
            leaves(text) == ["event=media", #"media.payload=AA\"=="#, "media.n:-1.5e3", media, "t:true", #"list:[1,"a",{"k":"v"}]"#, "e:{}"])
    }

    @Test(arguments: [
        "", " ", "[]", "5", "\"a\"", "{", "}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1", "{a:1}", "{\"a\":1}}", "{\"a\":\"", "{\"a\":\"\\",
        "{\"a\":\"\u{1}\"}", "{\"a\":[1,]}", "{\"a\":[1}",
    ]) func refusesWhatIsNoObject(_ text: String) {
        #expect(leaves(text) == nil)
    }

    /// Long strings are looked at in blocks: whatever lies anywhere in one is seen as by looking at every byte.
    @Test func longStringsAreReadByteForByte() {
        var generator = SeededGenerator(seed: 4)
        for round in 0..<3000 {
            var text = (0..<Int.random(in: 0...300, using: &generator)).map { _ in UInt8.random(in: 0x23...0x5B, using: &generator) }
            let special: [UInt8] = [0x22, 0x5C, 0x1F, 0x00, 0x20, 0x7F, 0x80, 0xFF]
            for _ in 0..<Int.random(in: 0...3, using: &generator) where !text.isEmpty {
                text[Int.random(in: 0..<text.count, using: &generator)] = special.randomElement(using: &generator) ?? 0
            }
            let message = Array("{\"a\":\"".utf8) + text + Array("\"}".utf8)
            let found = message.withUnsafeBytes { bytes in
                var value: [UInt8]?
                return JSONScanner.scan(bytes) { value = Array($0.value) } ? value : nil
            }
            // The first quote that no backslash takes away must be the last byte but one.
            var place = 0
            var isRefused = false
            while place < text.count, text[place] != 0x22, !isRefused {
                if text[place] < 0x20 { isRefused = true }
                place += text[place] == 0x5C ? 2 : 1
            }
            #expect(found == (isRefused || place != text.count ? nil : text), "round \(round)")
        }
    }

    @Test func depthIsLimited() {
        func nested(_ depth: Int) -> String { #"{"a":"# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}" }
        #expect(leaves(nested(20)) != nil)
        #expect(leaves(nested(100_000)) == nil)
    }

    @Test func whatFoundationReadsIsRead() throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<300 {
            let name = String((0..<12).map { _ in "aé\"\\\n\u{1F600}\t/x".randomElement(using: &generator) ?? "a" })
            let data = try JSONSerialization.data(withJSONObject: ["event": "mark", "mark": ["name": name]])
            let found = data.withUnsafeBytes { bytes in
                var found: String?
                let isObject = JSONScanner.scan(bytes) { if $0.inner != nil { found = JSONBytes.unescaped($0.value) } }
                return isObject ? found : nil
            }
            #expect(found == name)
            var buffer = ByteBuffer()
            JSONBytes.write(name, to: &buffer)
            let back = try JSONSerialization.jsonObject(with: Data(buffer.readableBytesView), options: .fragmentsAllowed) as? String
            #expect(back == name)
        }
    }

    @Test func numbersAreWrittenAsTheyAre() {
        for number in [0, 1, 9, 10, 99, 100, 12345, -7, Int64.max, Int64.min] {
            var buffer = ByteBuffer()
            JSONBytes.write(number, to: &buffer)
            #expect(String(buffer: buffer) == "\(number)")
        }
    }
}
