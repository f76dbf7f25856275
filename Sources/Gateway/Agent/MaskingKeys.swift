import Glibc

/// The masking keys of a client's frames (RFC 6455 5.3): unpredictable, so drawn from the kernel, but a block at a time, for a system
/// call for every frame is dear. Confined to the loop of its connection.
final class MaskingKeys {
    private var generator: any RandomNumberGenerator
    /// The generator is the kernel's, which also fills blocks.
    private let isKernels: Bool
    private let block: UnsafeMutablePointer<UInt32>
    private var left = 0

    /// Keys drawn together: 256 bytes are as much as getentropy(3) gives.
    private static let drawn = 64

    init(_ generator: any RandomNumberGenerator) {
        self.generator = generator
        isKernels = generator is SystemRandomNumberGenerator
        block = .allocate(capacity: Self.drawn)
        block.initialize(repeating: 0, count: Self.drawn)
    }

    deinit { block.deallocate() }

    /// The next key, in the order of its bytes in memory.
    func next() -> UInt32 {
        if left == 0 { draw() }
        left &-= 1
        return block[left]
    }

    private func draw() {
        left = Self.drawn
        if isKernels, getentropy(block, Self.drawn * MemoryLayout<UInt32>.size) == 0 { return }
        for index in 0..<Self.drawn { block[index] = UInt32(truncatingIfNeeded: generator.next()) }
    }
}
