import CBench

/// Packets side by side in memory of its own, so that neither side of a comparison pays for arrays.
final class PacketSlab {
    /// Room for each packet: more than any 20 ms frame here, tag included.
    static let stride = 512

    let count: Int
    let stride: Int
    let bytes: UnsafeMutablePointer<UInt8>
    let lengths: UnsafeMutablePointer<Int32>

    init(count: Int, stride: Int = PacketSlab.stride) {
        self.count = count
        self.stride = stride
        bytes = .allocate(capacity: count * stride)
        bytes.initialize(repeating: 0, count: count * stride)
        lengths = .allocate(capacity: count)
        lengths.initialize(repeating: 0, count: count)
    }

    convenience init(copying messages: [[UInt8]]) {
        self.init(count: messages.count, stride: (messages.map(\.count).max() ?? 0) + 1)
        for (index, message) in messages.enumerated() {
            (bytes + index * stride).update(from: message, count: message.count)
            lengths[index] = Int32(message.count)
        }
    }

    deinit {
        bytes.deallocate()
        lengths.deallocate()
    }

    /// Packets are changed in place, so every round begins with a copy.
    func copy() -> PacketSlab {
        let copy = PacketSlab(count: count, stride: stride)
        copy.bytes.update(from: bytes, count: count * stride)
        copy.lengths.update(from: lengths, count: count)
        return copy
    }

    func pointer(_ index: Int) -> UnsafeMutableRawPointer { UnsafeMutableRawPointer(bytes + index * stride) }

    func packet(_ index: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: pointer(index), count: Int(lengths[index])) }

    /// All the room of one packet.
    func room(_ index: Int) -> UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: pointer(index), count: stride) }

    /// The same memory for C, valid as long as the slab.
    var view: bench_packets { bench_packets(bytes: bytes, lengths: lengths, stride: Int32(stride), count: Int32(count)) }

    var digest: UInt64 {
        var digest = Digest()
        for index in 0..<count {
            digest.add(UInt64(lengths[index]))
            digest.add(packet(index))
        }
        return digest.value
    }
}

/// Frames of sound side by side.
final class SampleSlab {
    let frames: Int
    let frameSamples: Int
    let samples: UnsafeMutablePointer<Int16>

    init(frames: Int, frameSamples: Int) {
        self.frames = frames
        self.frameSamples = frameSamples
        samples = .allocate(capacity: frames * frameSamples)
        samples.initialize(repeating: 0, count: frames * frameSamples)
    }

    deinit {
        samples.deallocate()
    }

    func frame(_ index: Int) -> UnsafeBufferPointer<Int16> {
        UnsafeBufferPointer(start: samples + index * frameSamples, count: frameSamples)
    }

    func room(_ index: Int) -> UnsafeMutableBufferPointer<Int16> {
        UnsafeMutableBufferPointer(start: samples + index * frameSamples, count: frameSamples)
    }

    var digest: UInt64 {
        var digest = Digest()
        digest.add(UnsafeRawBufferPointer(start: samples, count: frames * frameSamples * 2))
        return digest.value
    }

    /// The mean square, which survives another filter where single samples do not.
    var power: Double {
        let count = frames * frameSamples
        return (0..<count).reduce(0) { $0 + Double(samples[$1]) * Double(samples[$1]) } / Double(max(count, 1))
    }
}

/// FNV-1a: says whether two sides made the same bytes.
struct Digest {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }

    mutating func add(_ number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { add($0) }
    }
}
