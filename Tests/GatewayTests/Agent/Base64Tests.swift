import Foundation
import TestKit
import Testing

@testable import Gateway

@Suite struct Base64Tests {
    /// Every byte as a sample of the same value.
    private static let table = (0..<256).map { Int16($0) }

    private func decode(_ text: String) -> [UInt8]? { decode(Array(text.utf8)) }

    /// - Parameter room: samples there is place for; nil for as many as the text has.
    private func decode(_ text: [UInt8], room: Int? = nil) -> [UInt8]? {
        text.withUnsafeBytes { bytes -> [UInt8]? in
            guard let length = Base64.decodedLength(bytes) else { return nil }
            let count = room ?? length
            // One more than there is room for: nothing may be written there.
            var samples = [Int16](repeating: -1, count: count + 1)
            samples.withUnsafeMutableBufferPointer { target in
                Self.table.withUnsafeBufferPointer {
                    Base64.decode(bytes, through: $0, into: UnsafeMutableBufferPointer(rebasing: target[0..<count]))
                }
            }
            guard samples.last == -1, samples.dropLast().allSatisfy({ $0 >= 0 }) else { return nil }
            return samples.dropLast().map { UInt8($0) }
        }
    }

    /// The same, character by character as RFC 4648 says it.
    private func decodeSlowly(_ text: [UInt8]) -> [UInt8]? {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var result: [UInt8] = []
        var bits = 0
        var held = 0
        var characters = 0
        var isPadded = false
        for byte in text where byte != UInt8(ascii: "\\") {
            if byte == UInt8(ascii: "=") {
                isPadded = true
                continue
            }
            let plain = byte == UInt8(ascii: "-") ? UInt8(ascii: "+") : byte == UInt8(ascii: "_") ? UInt8(ascii: "/") : byte
            guard !isPadded, let value = alphabet.firstIndex(of: plain) else { return nil }
            characters += 1
            bits = (bits << 6 | value) & 0xFFFF
            held += 6
            if held >= 8 {
                held -= 8
                result.append(UInt8(bits >> held & 255))
            }
        }
        return characters % 4 == 1 ? nil : result
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

    /// Escapes, padding, the other alphabet and nonsense at any place, in texts that end anywhere in a group or block.
    @Test func damagedTextsAreReadAsTheSlowWayDoes() {
        var generator = SeededGenerator(seed: 2)
        let plain = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let allowed = Array("-_\\".utf8)
        var accepted = 0
        for round in 0..<1200 {
            var text = (0..<Int.random(in: 0...700, using: &generator)).map { _ in plain.randomElement(using: &generator) ?? 65 }
            for _ in 0..<Int.random(in: 0...5, using: &generator) {
                text.insert(allowed.randomElement(using: &generator) ?? 45, at: Int.random(in: 0...text.count, using: &generator))
            }
            text += Array(repeating: UInt8(ascii: "="), count: Int.random(in: 0...2, using: &generator))
            if round % 4 == 0, !text.isEmpty {
                text[Int.random(in: 0..<text.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let expected = decodeSlowly(text)
            #expect(decode(text) == expected)
            if expected != nil { accepted += 1 }
        }
        // A quarter ends with one character too many, and some more is nonsense.
        #expect((450..<1050).contains(accepted))
    }

    @Test func everyByteValueAroundTheEdgeOfABlock() {
        for place in 254..<260 {
            for byte in UInt8.min ... .max {
                var text = Array(repeating: UInt8(ascii: "Q"), count: 264)
                text[place] = byte
                #expect(decode(text) == decodeSlowly(text))
            }
        }
    }

    /// A queue that is full takes fewer samples than the text has.
    @Test func fillsNoMoreThanThereIsRoomFor() {
        let text = Array(Data((0..<200).map { UInt8($0) }).base64EncodedString().utf8)
        for room in 0...200 { #expect(decode(text, room: room) == (0..<room).map { UInt8($0) }) }
    }

    /// In one pass: what `decodedLength` and `decode` make of the same characters, as far as they are plain.
    @Test func aPrefixIsDecodedAsTheWholeWouldBe() {
        var generator = SeededGenerator(seed: 3)
        let plain = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var decoded = 0
        for round in 0..<3000 {
            var text = (0..<Int.random(in: 0...90, using: &generator)).map { _ in plain.randomElement(using: &generator) ?? 65 }
            text += Array(repeating: UInt8(ascii: "="), count: Int.random(in: 0...2, using: &generator))
            if round % 3 == 0, !text.isEmpty { text[Int.random(in: 0..<text.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator) }
            let room = Int.random(in: 0...80, using: &generator)
            var samples = [Int16](repeating: -1, count: room + 1)
            let result = text.withUnsafeBytes { bytes in
                samples.withUnsafeMutableBufferPointer { target in
                    Self.table.withUnsafeBufferPointer {
                        Base64.decodePrefix(of: bytes, through: $0, into: UnsafeMutableBufferPointer(rebasing: target[0..<room]))
                    }
                }
            }
            #expect(samples.last == -1)
            guard let result else { continue }
            decoded += 1
            let taken = Array(text.prefix(result.characters))
            #expect(decodeSlowly(taken) == samples.prefix(result.samples).map { UInt8($0) })
            // It stops at nothing but what is not plain.
            if result.characters < text.count { #expect(!plain.contains(text[result.characters]) || text[result.characters - 1] == 61) }
        }
        #expect((800..<2900).contains(decoded))
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
