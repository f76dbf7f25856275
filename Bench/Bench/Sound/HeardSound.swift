import Transcode

/// What the far end hears of recorded packets. Its jitter buffer is perfect: every packet plays at the place its timestamp
/// says, whenever it came. Where none is, the codec conceals 60 ms and is silent then, as phones and browsers do.
enum HeardSound {
    private static let headerLength = 12
    private static let longestConcealment = 3
    /// Packets further from the first one than this (a minute) are of another stream.
    private static let longest = 3000

    static func decode(_ packets: [[UInt8]], _ sound: CallSound) throws -> [Int16] {
        guard let decoder = sound.makeDecoder() else { throw BenchFailure("no decoder") }
        let frames = place(packets, sound)
        var samples: [Int16] = []
        var missing = 0
        let room = UnsafeMutableBufferPointer<Int16>.allocate(capacity: 5760)
        defer { room.deallocate() }
        for index in frames.indices {
            let frameSamples = decoder.rate / 50
            var count = 0
            if let payload = frames[index] {
                missing = 0
                count = payload.withUnsafeBytes { decoder.decode($0, into: room) }
            } else {
                missing += 1
                let next = frames.dropFirst(index + 1).first ?? nil
                count = next?.withUnsafeBytes { decoder.recover(from: $0, samples: frameSamples, into: room) } ?? 0
                if count == 0, missing <= longestConcealment { count = decoder.conceal(samples: frameSamples, into: room) }
            }
            samples += count > 0 ? Array(room[..<count]) : [Int16](repeating: 0, count: frameSamples)
        }
        return samples
    }

    /// The payloads in steps of 20 ms of their timestamps.
    private static func place(_ packets: [[UInt8]], _ sound: CallSound) -> [[UInt8]?] {
        let media = packets.filter { $0.count > headerLength && $0[0] == 0x80 && $0[1] & 0x7F == sound.payloadType }
        func timestamp(_ packet: [UInt8]) -> UInt32 { packet[4..<8].reduce(0) { $0 << 8 | UInt32($1) } }
        guard let first = media.first.map(timestamp) else { return [] }
        var frames: [[UInt8]?] = []
        for packet in media {
            let place = Int(Int32(bitPattern: timestamp(packet) &- first)) / Int(sound.step)
            guard place >= 0, place < longest else { continue }
            if place >= frames.count { frames += [[UInt8]?](repeating: nil, count: place - frames.count + 1) }
            frames[place] = Array(packet[headerLength...])
        }
        return frames
    }
}
