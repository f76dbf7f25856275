/// The encoding of rtpengine's control protocol.
indirect enum Bencode {
    case text(String)
    case list([Bencode])
    case dictionary([(key: String, value: Bencode)])

    var encoded: String {
        switch self {
        case .text(let text): "\(text.utf8.count):\(text)"
        case .list(let items): "l" + items.map(\.encoded).joined() + "e"
        case .dictionary(let entries): "d" + entries.map { Bencode.text($0.key).encoded + $0.value.encoded }.joined() + "e"
        }
    }

    subscript(_ key: String) -> String? {
        guard case .dictionary(let entries) = self, case .text(let text)? = entries.first(where: { $0.key == key })?.value else { return nil }
        return text
    }

    /// Numbers become text.
    init?(parsing text: String) {
        var rest = Array(text.utf8)[...]
        guard let value = Self.parse(&rest) else { return nil }
        self = value
    }

    private static func parse(_ rest: inout ArraySlice<UInt8>) -> Bencode? {
        guard let kind = rest.first else { return nil }
        switch kind {
        case UInt8(ascii: "d"), UInt8(ascii: "l"):
            rest.removeFirst()
            var items: [Bencode] = []
            while let next = rest.first, next != UInt8(ascii: "e") {
                guard let item = parse(&rest) else { return nil }
                items.append(item)
            }
            guard rest.popFirst() != nil else { return nil }
            guard kind == UInt8(ascii: "d") else { return .list(items) }
            return .dictionary(
                stride(from: 0, to: items.count - 1, by: 2).compactMap { index in
                    guard case .text(let key) = items[index] else { return nil }
                    return (key, items[index + 1])
                })
        case UInt8(ascii: "i"):
            rest.removeFirst()
            guard let end = rest.firstIndex(of: UInt8(ascii: "e")) else { return nil }
            defer { rest = rest[(end + 1)...] }
            return .text(String(decoding: rest[..<end], as: UTF8.self))
        default:
            guard let colon = rest.firstIndex(of: UInt8(ascii: ":")), let length = Int(String(decoding: rest[..<colon], as: UTF8.self)),
                length >= 0, rest.distance(from: colon, to: rest.endIndex) > length
            else { return nil }
            let start = colon + 1
            defer { rest = rest[(start + length)...] }
            return .text(String(decoding: rest[start..<(start + length)], as: UTF8.self))
        }
    }
}
