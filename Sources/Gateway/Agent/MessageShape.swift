/// What the messages of one kind have in common: all around one text in them, but for numbers. An agent writes each message with sound
/// as it wrote the one before; that is found out by comparing, in a tenth of the time that reading it as JSON takes.
///
/// A message of the shape is JSON where the one it was taken from is, with the same members under the same names: digits in place of
/// digits change neither. Confined to the call's media loop.
final class MessageShape {
    /// What stands before the text and what stands behind it; a zero byte for a number of any length, which no JSON text has.
    private let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: MessageShape.longest)
    private var before = 0
    private var count = 0

    /// Bytes around the text at most; a message with more has no shape.
    private static let longest = 512
    private static let number: UInt8 = 0

    deinit { bytes.deallocate() }

    /// Takes the shape of a message.
    /// - Parameters:
    ///   - text: of `message`; what may be any other
    ///   - fixed: of `message`, outside `text`: its digits are part of the shape
    func take(_ message: UnsafeRawBufferPointer, around text: UnsafeRawBufferPointer, keeping fixed: UnsafeRawBufferPointer?) {
        forget()
        guard let start = message.baseAddress, let inner = text.baseAddress else { return }
        let first = inner - start
        guard first >= 0, first + text.count <= message.count else { return }
        let kept = fixed.flatMap { range in range.baseAddress.map { ($0 - start)..<($0 - start + range.count) } } ?? 0..<0
        guard add(message, 0..<first, keeping: kept) else { return forget() }
        before = count
        guard add(message, (first + text.count)..<message.count, keeping: kept), before > 0, count > before else { return forget() }
    }

    func forget() {
        before = 0
        count = 0
    }

    private func add(_ message: UnsafeRawBufferPointer, _ range: Range<Int>, keeping kept: Range<Int>) -> Bool {
        var isNumber = false
        for index in range {
            let isDigit = Self.isDigit(message[index]) && !kept.contains(index)
            if isDigit, isNumber { continue }
            guard count < Self.longest else { return false }
            bytes[count] = isDigit ? Self.number : message[index]
            isNumber = isDigit
            count += 1
        }
        return true
    }

    /// Where the text begins in a message that begins like the shape; nil for another one, and while there is no shape.
    func start(of message: UnsafeRawBufferPointer) -> Int? {
        guard before > 0 else { return nil }
        return match(0, before, message, at: 0)
    }

    /// Whether the message goes on and ends from `place` on like the shape.
    func ends(_ message: UnsafeRawBufferPointer, at place: Int) -> Bool {
        match(before, count, message, at: place) == message.count
    }

    /// - Returns: where the message goes on behind what is of the shape
    private func match(_ from: Int, _ to: Int, _ message: UnsafeRawBufferPointer, at start: Int) -> Int? {
        guard let source = message.baseAddress else { return nil }
        let (shape, length) = (UnsafeRawPointer(bytes), message.count)
        var place = start
        var index = from
        while index < to {
            // Eight at a time where they are the same. A zero byte in the message is no digit, and stands in no shape.
            if index &+ 8 <= to, place &+ 8 <= length {
                let word = shape.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                if word == source.loadUnaligned(fromByteOffset: place, as: UInt64.self), !Self.hasZero(word) {
                    index &+= 8
                    place &+= 8
                    continue
                }
            }
            guard place < length else { return nil }
            let (wanted, byte) = (bytes[index], source.load(fromByteOffset: place, as: UInt8.self))
            if wanted == Self.number {
                guard Self.isDigit(byte) else { return nil }
                repeat { place &+= 1 } while place < length && Self.isDigit(source.load(fromByteOffset: place, as: UInt8.self))
            } else {
                guard wanted == byte else { return nil }
                place &+= 1
            }
            index &+= 1
        }
        return place
    }

    private static func hasZero(_ word: UInt64) -> Bool { (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0 }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}
