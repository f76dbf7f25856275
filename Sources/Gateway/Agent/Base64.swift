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

    static func encodedLength(_ count: Int) -> Int { (count + 2) / 3 * 4 }

    /// - Parameter output: `encodedLength` bytes.
    static func encode(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) {
        alphabet.withUnsafeBufferPointer { alphabet in
            var place = 0
            var index = 0
            while index < input.count {
                let left = input.count - index
                let second = left > 1 ? input[index + 1] : 0
                let third = left > 2 ? input[index + 2] : 0
                output[place] = alphabet[Int(input[index] >> 2)]
                output[place + 1] = alphabet[Int((input[index] & 3) << 4 | second >> 4)]
                output[place + 2] = left > 1 ? alphabet[Int((second & 15) << 2 | third >> 6)] : UInt8(ascii: "=")
                output[place + 3] = left > 2 ? alphabet[Int(third & 63)] : UInt8(ascii: "=")
                place += 4
                index += 3
            }
        }
    }

    /// The bytes a text stands for; nil when it is no base64. Missing padding is tolerated.
    static func decodedLength(_ text: UnsafeRawBufferPointer) -> Int? {
        values.withUnsafeBufferPointer { values in
            var characters = 0
            var isPadded = false
            for byte in text {
                switch values[Int(byte)] {
                case 64: isPadded = true
                case 65: continue
                case 255: return nil
                default:
                    if isPadded { return nil }
                    characters += 1
                }
            }
            return characters % 4 == 1 ? nil : characters * 3 / 4
        }
    }

    /// Decodes a text that `decodedLength` accepted, byte by byte.
    static func decode(_ text: UnsafeRawBufferPointer, into write: (Int, UInt8) -> Void) {
        values.withUnsafeBufferPointer { values in
            var bits: UInt32 = 0
            var held = 0
            var place = 0
            for byte in text {
                let value = values[Int(byte)]
                if value > 63 { continue }
                bits = bits << 6 | UInt32(value)
                held += 6
                guard held >= 8 else { continue }
                held -= 8
                write(place, UInt8(truncatingIfNeeded: bits >> UInt32(held)))
                place += 1
            }
        }
    }
}
