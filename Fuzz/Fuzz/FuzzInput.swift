/// What the fuzzer made, read as choices, numbers and pieces; when it is used up everything is zero and empty.
struct FuzzInput {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: UnsafeRawBufferPointer) {
        rest = Array(bytes)[...]
    }

    var isEmpty: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    mutating func word() -> UInt16 { UInt16(byte()) << 8 | UInt16(byte()) }

    /// A length of two bytes, and so many bytes, or what there is.
    mutating func piece() -> [UInt8] {
        let piece = Array(rest.prefix(Int(word())))
        rest = rest.dropFirst(piece.count)
        return piece
    }

    /// Everything that is left.
    mutating func remainder() -> [UInt8] {
        defer { rest = [] }
        return Array(rest)
    }

    /// How `piece` reads these bytes again, for seeds.
    static func piece(_ bytes: [UInt8]) -> [UInt8] { [UInt8(truncatingIfNeeded: bytes.count >> 8), UInt8(truncatingIfNeeded: bytes.count)] + bytes }
}
