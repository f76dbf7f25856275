import COgg
import Transcode

/// A recording as Opus in Ogg (RFC 7845): a page a second, so that a crash leaves a file that plays to its last second.
final class OggOpusFormat: RecordingFormat {
    private let output: any RecordingOutput
    private let encoder: TwoVoiceOpusEncoder
    private let stream: UnsafeMutablePointer<ogg_stream_state>
    private var offset: Int64 = 0
    private var packets: Int64 = 0
    /// The last packet, which silence is made of again.
    private let packet = UnsafeMutableRawBufferPointer.allocate(byteCount: TwoVoiceOpusEncoder.maximumPacket, alignment: 16)
    private var packetLength = 0
    /// The packet that is being filled.
    private let pending: SampleBuffer
    private var filled = 0
    private var isSilent = true
    /// Packets of nothing but silence in a row.
    private var silentInARow = 0
    /// Frames so far.
    private var frames: Int64 = 0

    /// Silent packets after which one is like the next.
    private static let settled = 25
    private static let clock = 48_000
    /// 20 ms.
    private static let packetClock: Int64 = 960

    /// - Parameters:
    ///   - rate: in Hz.
    ///   - serial: of the logical stream; any number.
    init(_ output: any RecordingOutput, rate: Int, serial: Int32) throws(RecordingFailure) {
        guard let encoder = TwoVoiceOpusEncoder(rate: rate) else { throw RecordingFailure(description: "no Opus encoder for \(rate) Hz") }
        self.output = output
        self.encoder = encoder
        pending = SampleBuffer(capacity: 2 * encoder.packetFrames)
        stream = .allocate(capacity: 1)
        stream.initialize(to: ogg_stream_state())
        guard ogg_stream_init(stream, serial) == 0 else { throw RecordingFailure(description: "no memory for an Ogg stream") }
        // Each header has a page of its own (RFC 7845 3).
        for header in [Self.identification(encoder), Self.comments] {
            try append(header, granule: 0)
            try writePages(flushes: true)
        }
    }

    deinit {
        ogg_stream_clear(stream)
        stream.deallocate()
        packet.deallocate()
    }

    // MARK: RecordingFormat

    func write(_ samples: UnsafeBufferPointer<Int16>) throws(RecordingFailure) {
        guard let source = samples.baseAddress, let target = pending.samples.baseAddress else { return }
        var done = 0
        while done < samples.count {
            let count = min(samples.count - done, pending.samples.count - filled)
            (target + filled).update(from: source + done, count: count)
            if isSilent { isSilent = !samples[done..<done + count].contains { $0 != 0 } }
            filled += count
            done += count
            frames += Int64(count / 2)
            if filled == pending.samples.count { try encode() }
        }
    }

    func silence(_ frames: Int) throws(RecordingFailure) {
        var left = frames
        self.frames += Int64(frames)
        while left > 0 {
            let count = min(left, (pending.samples.count - filled) / 2)
            pending.samples[filled..<filled + 2 * count].update(repeating: 0)
            filled += 2 * count
            left -= count
            if filled == pending.samples.count { try encode() }
        }
    }

    func checkpoint() throws(RecordingFailure) { try writePages(flushes: true) }

    func finish() throws(RecordingFailure) {
        // The encoder holds the last samples back; a player drops what is beyond the end (RFC 7845 4.4).
        let end = frames * Int64(Self.clock / encoder.rate) + Int64(encoder.preSkip)
        while packets * Self.packetClock < end {
            pending.samples[filled...].update(repeating: 0)
            try encode(endingAt: packets * Self.packetClock + Self.packetClock >= end ? end : nil)
        }
        try writePages(flushes: true)
        try output.finish()
    }

    // MARK: Packets

    private func encode(endingAt end: Int64? = nil) throws(RecordingFailure) {
        silentInARow = isSilent ? silentInARow + 1 : 0
        if silentInARow <= Self.settled {
            packetLength = encoder.encode(UnsafeBufferPointer(pending.samples), into: packet)
            guard packetLength > 0 else { throw RecordingFailure(description: "Opus refuses a frame") }
        }
        filled = 0
        isSilent = true
        packets += 1
        try append(
            UnsafeMutableRawBufferPointer(rebasing: packet[0..<packetLength]), granule: end ?? packets * Self.packetClock, isLast: end != nil)
        try writePages(flushes: false)
    }

    private func append(_ bytes: UnsafeMutableRawBufferPointer, granule: Int64, isLast: Bool = false) throws(RecordingFailure) {
        var packet = ogg_packet()
        packet.packet = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        packet.bytes = bytes.count
        packet.e_o_s = isLast ? 1 : 0
        packet.granulepos = granule
        guard ogg_stream_packetin(stream, &packet) == 0 else { throw RecordingFailure(description: "no memory for an Ogg page") }
    }

    private func append(_ header: [UInt8], granule: Int64) throws(RecordingFailure) {
        for (index, byte) in header.enumerated() { packet[index] = byte }
        try append(UnsafeMutableRawBufferPointer(rebasing: packet[0..<header.count]), granule: granule)
    }

    private func writePages(flushes: Bool) throws(RecordingFailure) {
        var page = ogg_page()
        while (flushes ? ogg_stream_flush(stream, &page) : ogg_stream_pageout(stream, &page)) != 0 {
            for part in [UnsafeRawBufferPointer(start: page.header, count: page.header_len), UnsafeRawBufferPointer(start: page.body, count: page.body_len)] {
                try output.write(part, at: offset)
                offset += Int64(part.count)
            }
        }
    }

    /// RFC 7845 5.1.
    private static func identification(_ encoder: TwoVoiceOpusEncoder) -> [UInt8] {
        func number(_ value: Int, _ size: Int) -> [UInt8] { (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        let (version, channels, gain, family, streams, coupled) = (1, 2, 0, 1, 2, 0)
        return Array("OpusHead".utf8) + number(version, 1) + number(channels, 1) + number(encoder.preSkip, 2) + number(encoder.rate, 4)
            + number(gain, 2) + number(family, 1) + number(streams, 1) + number(coupled, 1) + [0, 1]
    }

    /// RFC 7845 5.2: who wrote it, and no comments.
    private static let comments: [UInt8] = {
        let vendor = Array("Tandem".utf8)
        return Array("OpusTags".utf8) + [UInt8(vendor.count), 0, 0, 0] + vendor + [0, 0, 0, 0]
    }()
}
