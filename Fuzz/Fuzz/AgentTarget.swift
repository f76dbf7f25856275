import Foundation
import NIOCore

@testable import Gateway

/// What an agent says, as JSON: our own readers of it and of base64 beside Foundation's (RFC 8259, RFC 4648).
enum AgentTarget: FuzzTarget {
    static var seeds: [[UInt8]] {
        [
            #"{"event":"media","sequenceNumber":"12","media":{"chunk":19,"payload":"f39/fw==","t2":1.5},"streamSid":"MZ0123"}"#,
            #" { "event" : "mark", "mark": {"name":"a\"\u00e9\n"}, "list":[1,"a",{"k":-1.5e3}], "n":null, "t":true, "e":{} } "#,
            #"{"type":"response.output_audio.delta","item_id":"i1","delta":"\/\/\/\/"}"#, "{}", "[]", #"{"a":1,"a":2}"#,
        ].map { Array($0.utf8) }
    }

    static func run(_ input: FuzzInput) {
        var input = input
        let bytes = input.remainder()
        _ = scan(bytes)
        // Foundation reads more than RFC 8259 allows, but what it writes is JSON. Deeper than any message of an agent is, ours refuses it.
        guard let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any],
            let written = try? JSONSerialization.data(withJSONObject: object), written.filter({ $0 == 0x7B || $0 == 0x5B }).count < 32
        else { return }
        require(scan(Array(written)), "refused: \(String(decoding: written, as: UTF8.self))")
    }

    private static func scan(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { bytes in
            JSONScanner.scan(bytes) { leaf in
                if leaf.isString { Base64.resolvingEscapes(in: leaf.value) { decode($0) } }
            }
        }
    }

    /// Text as an encoder writes it decodes as Foundation says; it makes something of other text too.
    private static func decode(_ text: UnsafeRawBufferPointer) {
        guard let length = Base64.decodedLength(text) else { return }
        var samples = [Int16](repeating: 0, count: length)
        samples.withUnsafeMutableBufferPointer { samples in
            identity.withUnsafeBufferPointer { Base64.decode(text, through: $0, into: samples) }
        }
        if let expected = Data(base64Encoded: Data(text)), expected.base64EncodedData() == Data(text) {
            require(samples == expected.map { Int16($0) }, "\(Array(text)) is decoded to \(samples)")
        }
        var prefix = [Int16](repeating: 0, count: length)
        prefix.withUnsafeMutableBufferPointer { prefix in
            let taken = identity.withUnsafeBufferPointer { Base64.decodePrefix(of: text, through: $0, into: prefix) }
            guard let taken, taken.characters == text.count else { return }
            require(Array(prefix[..<taken.samples]) == samples, "\(Array(text)) is decoded in one pass to \(Array(prefix[..<taken.samples]))")
        }
    }

    private static let identity = (Int16(0)..<256).map { $0 }
}
