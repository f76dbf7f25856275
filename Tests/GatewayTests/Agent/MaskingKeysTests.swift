import Testing

@testable import Gateway

@Suite struct MaskingKeysTests {
    private struct Counter: RandomNumberGenerator {
        var last: UInt64 = 0
        mutating func next() -> UInt64 {
            last += 1
            return last
        }
    }

    /// No key of a block is used twice.
    @Test func everyKeyOnce() {
        let keys = MaskingKeys(Counter())
        #expect(Set((0..<1000).map { _ in keys.next() }).count == 1000)
    }

    @Test func theKernelsDiffer() {
        let (first, second) = (MaskingKeys(SystemRandomNumberGenerator()), MaskingKeys(SystemRandomNumberGenerator()))
        let keys = (0..<256).flatMap { _ in [first.next(), second.next()] }
        // Of 512 random ones two are the same once in 30,000 times; ten pairs never.
        #expect(Set(keys).count > 500)
        #expect(keys.contains { $0 > 1 << 31 })
    }
}
