/// The companding tables, built once from the definitions in G.711 and never freed.
///
/// A loop takes the pointer into a local first: reaching a static through its lazy initialiser for every sample costs
/// ten times the look-up.
enum G711Tables {
    nonisolated(unsafe) static let muToLinear = table(256) { muLinear(UInt8($0)) }
    nonisolated(unsafe) static let aToLinear = table(256) { aLinear(UInt8($0)) }
    /// By a quarter of the magnitude (0 to 32768), the µ-law byte of the positive sample.
    nonisolated(unsafe) static let magnitudeToMu = table(32768 / 4 + 1) { muByte($0 * 4) }
    /// By a sixteenth of the magnitude (0 to 32767), the A-law byte of the positive sample.
    nonisolated(unsafe) static let magnitudeToA = table(32768 / 16) { aByte($0 * 16) }

    /// From a sample's magnitude to its byte.
    static func bytes(of law: G711.Law) -> UnsafePointer<UInt8> { law == .mu ? magnitudeToMu : magnitudeToA }

    private static func table<Element>(_ count: Int, _ value: (Int) -> Element) -> UnsafePointer<Element> {
        let entries = UnsafeMutablePointer<Element>.allocate(capacity: count)
        for index in 0..<count { (entries + index).initialize(to: value(index)) }
        return UnsafePointer(entries)
    }

    /// µ-law byte to a 16-bit sample: complemented sign, three bits of segment, four of step, with a bias of 132.
    private static func muLinear(_ byte: UInt8) -> Int16 {
        let code = ~byte
        let magnitude = (((Int(code) & 0x0F) << 3) + 132) << ((Int(code) & 0x70) >> 4)
        return Int16(code & 0x80 != 0 ? 132 - magnitude : magnitude - 132)
    }

    /// A-law byte to a 16-bit sample: even bits inverted, the middle of the step.
    private static func aLinear(_ byte: UInt8) -> Int16 {
        let code = byte ^ 0x55
        let segment = (Int(code) & 0x70) >> 4
        let step = (Int(code) & 0x0F) << 4
        let magnitude = segment == 0 ? step + 8 : (step + 0x108) << (segment - 1)
        return Int16(code & 0x80 != 0 ? magnitude : -magnitude)
    }

    private static func muByte(_ magnitude: Int) -> UInt8 {
        let biased = magnitude + 132
        guard biased <= 0x7FFF else { return 0x80 }
        let segment = highestBit(biased | 0xFF) - 7
        return ~UInt8(segment << 4 | (biased >> (segment + 3)) & 0x0F)
    }

    private static func aByte(_ magnitude: Int) -> UInt8 {
        let segment = highestBit(magnitude | 0xFF) - 7
        return UInt8(segment << 4 | (magnitude >> (segment == 0 ? 4 : segment + 3)) & 0x0F) ^ 0xD5
    }

    private static func highestBit(_ value: Int) -> Int {
        Int.bitWidth - 1 - value.leadingZeroBitCount
    }
}
