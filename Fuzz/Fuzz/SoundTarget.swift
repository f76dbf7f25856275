import Transcode

/// Payloads of every codec, lost ones among them.
enum SoundTarget: FuzzTarget {
    static var seeds: [[UInt8]] {
        var seeds: [[UInt8]] = []
        for codec in 0..<CodecCatalogue.names.count {
            for first: [UInt8] in [[0x78, 1, 2, 3], [0x08, 9, 9, 9, 9], [0xFB, 0x83, 1, 2, 3, 4, 5, 6], [UInt8](repeating: 0x55, count: 160)] {
                seeds.append([UInt8(codec), 1] + [0] + FuzzInput.piece(first) + [1] + [2] + FuzzInput.piece(first) + [0] + FuzzInput.piece(first))
            }
        }
        return seeds
    }

    static func run(_ input: FuzzInput) {
        var input = input
        let name = CodecCatalogue.names[Int(input.byte()) % CodecCatalogue.names.count]
        let rates = CodecCatalogue.rates(of: name)
        guard let decoder = CodecCatalogue.makeDecoder(name: name, rate: rates[Int(input.byte()) % rates.count]) else { fatalError("no decoder") }
        // As large as it must be, so that a sample too many is seen.
        let room = UnsafeMutableBufferPointer<Int16>.allocate(capacity: decoder.rate / 1000 * 120)
        defer { room.deallocate() }
        while !input.isEmpty {
            switch input.byte() % 4 {
            case 0:
                let payload = input.piece()
                let count = payload.withUnsafeBytes { decoder.decode($0, into: room) }
                require(0...room.count ~= count, "\(count) samples")
                let told = payload.withUnsafeBytes { decoder.duration(of: $0) }
                require(count == 0 || told == count, "\(name): \(payload) is \(count) samples, not \(String(describing: told))")
            case 1: require(decoder.conceal(samples: decoder.rate / 50, into: room) <= room.count, "too much concealed")
            case 2:
                let count = input.piece().withUnsafeBytes { decoder.recover(from: $0, samples: decoder.rate / 50, into: room) }
                require(count ?? 0 <= room.count, "too much restored")
            default: decoder.reset()
            }
        }
    }
}
