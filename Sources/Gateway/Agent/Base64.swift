import Glibc

/// Base64 (RFC 4648 section 4) straight between audio storage and message bytes.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    /// The value of each character; 64 for padding, 65 for what JSON may put between ("\/"), 255 for anything else.
    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 255, count: 256)
        for (value, character) in alphabet.enumerated() { table[Int(character)] = UInt8(value) }
        table[Int(UInt8(ascii: "-"))] = 62
        table[Int(UInt8(ascii: "_"))] = 63
        table[Int(UInt8(ascii: "="))] = 64
        table[Int(UInt8(ascii: "\\"))] = 65
        return table
    }()

    /// What each character of a group of four puts into its 24 bits, by its place in the group; the highest bit for one that is
    /// none of the plain ones. 256 numbers for the first place, then 256 for the second, and so on.
    private static let placed: [UInt32] = (0..<4).flatMap { place in
        values.map { $0 < 64 ? UInt32($0) << UInt32(18 - 6 * place) : 1 << 31 }
    }

    static func encodedLength(_ count: Int) -> Int { (count + 2) / 3 * 4 }

    /// First six bits to each place, then the characters of all of them.
    /// - Parameter output: `encodedLength` bytes.
    static func encode(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) {
        let length = encodedLength(input.count)
        precondition(output.count >= length, "room for every character")
        guard let source = input.baseAddress, let target = output.baseAddress else { return }
        var index = 0
        var place = 0
        // Four bytes are read for three, so the last three are left to the end.
        while index &+ 4 <= input.count {
            let bytes = UInt32(bigEndian: source.loadUnaligned(fromByteOffset: index, as: UInt32.self))
            target.storeBytes(of: spread(bytes >> 8), toByteOffset: place, as: UInt32.self)
            index &+= 3
            place &+= 4
        }
        let left = input.count - index
        if left > 0 {
            let second = left > 1 ? UInt32(input[index + 1]) : 0
            let third = left > 2 ? UInt32(input[index + 2]) : 0
            target.storeBytes(of: spread(UInt32(input[index]) << 16 | second << 8 | third), toByteOffset: place, as: UInt32.self)
        }
        let characters = target.assumingMemoryBound(to: UInt8.self)
        for place in 0..<length { characters[place] = character(characters[place]) }
        for place in (length - (3 - input.count % 3) % 3)..<length { characters[place] = UInt8(ascii: "=") }
    }

    /// Six of 24 bits to each byte, the highest ones first in memory.
    private static func spread(_ bits: UInt32) -> UInt32 {
        (bits >> 18 | (bits >> 4 & 0x3F00) | (bits << 10 & 0x3F_0000) | (bits << 24 & 0x3F00_0000)).littleEndian
    }

    /// The character of six bits. No branch and no table, so that the compiler takes sixteen at a time.
    private static func character(_ bits: UInt8) -> UInt8 {
        // The alphabet is five runs of characters: A, a, 0, + and /.
        var character = bits &+ UInt8(ascii: "A")
        character = character &+ (bits > 25 ? 6 : 0)
        character = character &- (bits > 51 ? 75 : 0)
        character = character &- (bits > 61 ? 15 : 0)
        return character &+ (bits > 62 ? 3 : 0)
    }

    /// The bytes a text stands for; nil when it is no base64. Missing padding is tolerated.
    static func decodedLength(_ text: UnsafeRawBufferPointer) -> Int? {
        values.withUnsafeBufferPointer { values in
            var characters = 0
            var isPadded = false
            var place = 0
            while place < text.count {
                let block = UnsafeRawBufferPointer(rebasing: text[place..<min(place + blockLength, text.count)])
                place += block.count
                if !isPadded, isPlain(block) {
                    characters += block.count
                    continue
                }
                for byte in block {
                    switch values[Int(byte)] {
                    case 64: isPadded = true
                    case 65: continue
                    case 255: return nil
                    default:
                        if isPadded { return nil }
                        characters += 1
                    }
                }
            }
            return characters % 4 == 1 ? nil : characters * 3 / 4
        }
    }

    /// Calls `body` with a text of JSON whose characters may be escaped: as it is, where they are not or all are "\/", which is passed over
    /// anyway. Some writers escape "+" and "=" (`\u002B`), others break lines.
    static func resolvingEscapes(in text: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        guard hasEscapes(text) else { return body(text) }
        withUnsafeTemporaryAllocation(byteCount: text.count, alignment: 1) { memory in
            body(UnsafeRawBufferPointer(rebasing: memory[0..<resolveEscapes(in: text, into: memory)]))
        }
    }

    private static func hasEscapes(_ text: UnsafeRawBufferPointer) -> Bool {
        guard var place = text.baseAddress else { return false }
        let end = place + text.count
        while let found = memchr(place, Int32(UInt8(ascii: "\\")), end - place) {
            place = UnsafeRawPointer(found) + 1
            if place < end, place.load(as: UInt8.self) != UInt8(ascii: "/") { return true }
        }
        return false
    }

    /// - Returns: the bytes written, fewer than `text` has.
    private static func resolveEscapes(in text: UnsafeRawBufferPointer, into memory: UnsafeMutableRawBufferPointer) -> Int {
        var (place, count) = (0, 0)
        while place < text.count {
            var byte = text[place]
            place += 1
            if byte == UInt8(ascii: "\\"), place < text.count {
                byte = text[place]
                place += 1
                switch byte {
                case UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"): continue
                case UInt8(ascii: "u"):
                    let digits = text[place..<min(place + 4, text.count)]
                    place = digits.endIndex
                    // Zero is no character of base64, nor is any that has more than a byte.
                    byte = UInt16(String(decoding: digits, as: UTF8.self), radix: 16).flatMap { UInt8(exactly: $0) } ?? 0
                default: break
                }
            }
            memory[count] = byte
            count += 1
        }
        return count
    }

    /// Characters looked at together.
    private static let blockLength = 256

    /// Whether every character is of the alphabet. No branch and no table, so that the compiler takes sixteen at a time.
    private static func isPlain(_ text: UnsafeRawBufferPointer) -> Bool {
        var other: UInt8 = 0
        for byte in text {
            let isLetter: UInt8 = (byte | 0x20) &- UInt8(ascii: "a") < 26 ? 1 : 0
            let isDigit: UInt8 = byte &- UInt8(ascii: "0") < 10 ? 1 : 0
            let isSign: UInt8 = (byte == UInt8(ascii: "+") ? 1 : 0) | (byte == UInt8(ascii: "/") ? 1 : 0)
            other |= 1 ^ (isLetter | isDigit | isSign)
        }
        return other == 0
    }

    /// Decodes a text that `decodedLength` accepted; each byte of it becomes the sample that `table` holds for it.
    ///
    /// Four plain characters at a time; a group with padding or a JSON escape in it, and the end, character by character.
    /// - Parameters:
    ///   - table: 256 samples
    ///   - samples: as many as `decodedLength` says, or fewer: the rest of the text is left out then
    static func decode(
        _ text: UnsafeRawBufferPointer, through table: UnsafeBufferPointer<Int16>, into samples: UnsafeMutableBufferPointer<Int16>
    ) {
        precondition(table.count == 256, "a sample for every byte")
        var place = 0
        var filled = 0
        while filled < samples.count, place < text.count {
            decodePlain(text, &place, table, samples, &filled)
            decodeGroup(text, &place, table, samples, &filled)
        }
    }

    /// Decodes what `text` begins with: plain characters in groups of four, the last one padded or short; each byte becomes the
    /// sample that `table` holds for it. The common case in one pass, without a look ahead.
    /// - Parameters:
    ///   - table: 256 samples
    ///   - samples: a text that does not fit is not decoded
    /// - Returns: the characters taken, padding included, and the samples written; nil where something else than an ending stands
    ///   within a group, of which `decodedLength` says what it is. What follows the characters is the caller's to judge.
    static func decodePrefix(
        of text: UnsafeRawBufferPointer, through table: UnsafeBufferPointer<Int16>, into samples: UnsafeMutableBufferPointer<Int16>
    ) -> (characters: Int, samples: Int)? {
        precondition(table.count == 256, "a sample for every byte")
        var place = 0
        var filled = 0
        decodePlain(text, &place, table, samples, &filled)
        let start = place
        var bits: UInt32 = 0
        while place < text.count, place - start < 4 {
            let value = values[Int(text[place])]
            if value > 63 { break }
            bits = bits << 6 | UInt32(value)
            place += 1
        }
        let characters = place - start
        // A whole group is one that there is no room for.
        guard characters != 1, characters < 4, samples.count - filled >= characters - 1 else { return nil }
        if characters >= 2 { samples[filled] = table[Int(bits >> UInt32(6 * characters - 8) & 255)] }
        if characters == 3 { samples[filled + 1] = table[Int(bits >> 2 & 255)] }
        filled += max(0, characters - 1)
        let padding = characters == 0 ? 0 : 4 - characters
        while place < text.count, place - start < characters + padding, text[place] == UInt8(ascii: "=") { place += 1 }
        return (place, filled)
    }

    /// Whole groups of four characters that stand for six bits each; stops at the first other one.
    private static func decodePlain(
        _ text: UnsafeRawBufferPointer, _ place: inout Int, _ table: UnsafeBufferPointer<Int16>,
        _ samples: UnsafeMutableBufferPointer<Int16>, _ filled: inout Int
    ) {
        guard let source = text.baseAddress, let table = table.baseAddress, let target = samples.baseAddress else { return }
        placed.withUnsafeBufferPointer { placed in
            guard let placed = placed.baseAddress else { return }
            var index = place
            var output = filled
            while index + 4 <= text.count, output + 3 <= samples.count {
                let characters = source.loadUnaligned(fromByteOffset: index, as: UInt32.self).littleEndian
                let bits =
                    placed[Int(characters & 255)] | placed[Int(characters >> 8 & 255) + 256]
                    | placed[Int(characters >> 16 & 255) + 512] | placed[Int(characters >> 24) + 768]
                guard bits < 1 << 24 else { break }
                target[output] = table[Int(bits >> 16)]
                target[output + 1] = table[Int(bits >> 8 & 255)]
                target[output + 2] = table[Int(bits & 255)]
                index += 4
                output += 3
            }
            place = index
            filled = output
        }
    }

    /// One group, whatever lies between its characters, or what there is of it at the end.
    private static func decodeGroup(
        _ text: UnsafeRawBufferPointer, _ place: inout Int, _ table: UnsafeBufferPointer<Int16>,
        _ samples: UnsafeMutableBufferPointer<Int16>, _ filled: inout Int
    ) {
        var bits: UInt32 = 0
        var held = 0
        var characters = 0
        while characters < 4, place < text.count {
            let value = values[Int(text[place])]
            place += 1
            if value > 63 { continue }
            characters += 1
            bits = bits << 6 | UInt32(value)
            held += 6
            guard held >= 8, filled < samples.count else { continue }
            held -= 8
            samples[filled] = table[Int(UInt8(truncatingIfNeeded: bits >> UInt32(held)))]
            filled += 1
        }
    }
}
