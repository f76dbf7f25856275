import Foundation
import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Messages that are understood by their likeness to the one before, beside a dialect that has seen none.
@Suite struct MessageShapeTests {
    private static let stream = "MZ0123456789abcdef"

    private func messages() -> MediaStreamMessages {
        let messages = MediaStreamMessages(sequenceKey: "sequenceNumber", streamKey: "streamSid")
        messages.streamID = Self.stream
        return messages
    }

    /// What one message makes of the session.
    private func outcome(_ message: [UInt8], by messages: MediaStreamMessages) -> [String] {
        let recorder = CommandRecorder()
        messages.receive(ByteBuffer(bytes: message), for: recorder)
        return recorder.played.map { "\($0)" } + recorder.marks + recorder.misunderstood + ["\(recorder.clears)"] + recorder.others
    }

    private static func media(_ number: Int, _ payload: [UInt8], stream: String = MessageShapeTests.stream) -> [UInt8] {
        let text = Data(payload).base64EncodedString()
        return Array(
            #"{"event":"media","sequenceNumber":"\#(number)","media":{"chunk":\#(number + 7),"payload":"\#(text)","t2":1.5},"streamSid":"\#(stream)"}"#.utf8)
    }

    private func start(of message: String, in shape: MessageShape) -> Int? { Array(message.utf8).withUnsafeBytes { shape.start(of: $0) } }

    /// The shape of `message` around the first X, keeping the digits of the first `kept`.
    private func shape(of message: String, keeping kept: String? = nil) throws -> MessageShape {
        let shape = MessageShape()
        let bytes = Array(message.utf8)
        let place = try #require(bytes.firstIndex(of: UInt8(ascii: "X")))
        let range = try kept.map { try #require(message.range(of: $0)) }
        bytes.withUnsafeBytes { whole in
            let fixed = range.map {
                let first = message.utf8.distance(from: message.startIndex, to: $0.lowerBound)
                return UnsafeRawBufferPointer(rebasing: whole[first..<(first + (kept?.utf8.count ?? 0))])
            }
            shape.take(whole, around: UnsafeRawBufferPointer(rebasing: whole[place...place]), keeping: fixed)
        }
        return shape
    }

    @Test func digitsMayBeOthers() throws {
        let shape = try shape(of: #"{"a":"12","b":"X","c":3}"#)
        #expect(start(of: #"{"a":"7","b":"yy"#, in: shape) == 14)
        #expect(start(of: #"{"a":"123456","b":"yy"#, in: shape) == 19)
        for other in [#"{"a":"","b":"y"#, #"{"a":"x","b":"y"#, #"{"a":"1 2","b":"y"#, #"{"a":"12","b":"#, "", #" {"a":"12","b":"y"#] {
            #expect(start(of: other, in: shape) == nil, "\(other)")
        }
        func ends(_ rest: String) -> Bool { Array(rest.utf8).withUnsafeBytes { shape.ends($0, at: 0) } }
        #expect(ends(#"","c":3}"#) && ends(#"","c":1234}"#))
        #expect(!ends(#"","c":}"#) && !ends(#"","c":3} "#) && !ends(#"","c":3"#) && !ends(""))
    }

    @Test func digitsThatMatterStay() throws {
        let shape = try shape(of: #"{"s":"id42","n":7,"b":"X"}"#, keeping: "id42")
        #expect(start(of: #"{"s":"id42","n":8,"b":"yy"#, in: shape) != nil)
        for other in ["id43", "id4", "id422", "id"] { #expect(start(of: #"{"s":"\#(other)","n":7,"b":"yy"#, in: shape) == nil) }
    }

    @Test func whatIsTooLongHasNone() throws {
        let shape = try shape(of: #"{"a":""# + String(repeating: "a", count: 600) + #"","b":"X"}"#)
        #expect(start(of: #"{"a":""# + String(repeating: "a", count: 600) + #"","b":"y"#, in: shape) == nil)
        #expect(Array("".utf8).withUnsafeBytes { MessageShape().start(of: $0) } == nil)
    }

    @Test func soundIsTheSameWithAndWithoutAPredecessor() throws {
        let known = messages()
        var generator = SeededGenerator(seed: 5)
        for count in Array(0..<200) + [480, 512, 513, 2000] {
            let payload = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let message = Self.media(count * count, payload)
            #expect(outcome(message, by: known) == outcome(message, by: messages()), "\(count)")
        }
    }

    /// The numbers of the stream's name are no numbers.
    @Test func anotherStreamIsNotOurs() {
        let known = messages()
        _ = outcome(Self.media(1, [1, 2, 3]), by: known)
        let foreign = Self.media(2, [1, 2, 3], stream: "MZ1123456789abcdef")
        #expect(outcome(foreign, by: known) == outcome(foreign, by: messages()))
        #expect(outcome(foreign, by: known).first?.hasPrefix("a streamSid") == true)
    }

    /// Whatever is wrong with a message, it is understood, or not, as without the one before it.
    @Test func damagedMessagesAreReadAsWithoutAPredecessor() {
        let known = messages()
        var generator = SeededGenerator(seed: 6)
        let usual = Self.media(41, (0..<160).map { UInt8($0) })
        let interesting: [UInt8] = Array("\"\\={}[],:0918+/-_ aA".utf8) + [0, 0x1F, 0x7F, 0x80, 0xFF]
        var played = 0
        for round in 0..<3000 {
            #expect(outcome(usual, by: known).count == 2)
            var message = Self.media(round, (0..<Int.random(in: 0...180, using: &generator)).map { UInt8($0) })
            for _ in 0..<Int.random(in: 1...3, using: &generator) where !message.isEmpty {
                let place = Int.random(in: 0..<message.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: message[place] = interesting.randomElement(using: &generator) ?? 0
                case 1: message.remove(at: place)
                case 2: message.insert(interesting.randomElement(using: &generator) ?? 0, at: place)
                default: message[place] = UInt8.random(in: 0...255, using: &generator)
                }
            }
            let expected = outcome(message, by: messages())
            #expect(outcome(message, by: known) == expected, "round \(round)")
            if expected.first?.hasPrefix("[") == true { played += 1 }
        }
        // Some of each.
        #expect((300..<2700).contains(played))
    }
}
