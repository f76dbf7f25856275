import NIOCore

/// What may have to be said again when the agent comes back: the last five seconds of the caller's sound and the last events.
final class TandemReplay {
    /// Samples of a frame.
    private let frameSamples: Int
    private let samples: UnsafeMutableBufferPointer<Int16>
    /// Of each frame, with whose it is.
    private let flags: UnsafeMutableBufferPointer<UInt8>
    private let tracks: UnsafeMutableBufferPointer<TandemDialect.Track>
    /// In place of the frames where the agent takes packets.
    private let ring: PacketRing?
    /// Where on the caller's clock the next frame stands.
    private(set) var end: Int64 = 0
    private var frames = 0
    private var events: [(seq: Int64, text: ByteBuffer)] = []

    static let seconds = 5
    static let mostEvents = 256
    private static let most = seconds * 50
    /// Room for five seconds of packets of 10 ms at 100 kbit/s; of larger ones fewer are kept.
    private static let mostPackets = seconds * 100
    private static let mostBytes = 64 * 1024

    /// - Parameters:
    ///   - rate: of the caller's clock, in Hz
    ///   - holdsPackets: packets are kept in place of frames of 20 ms
    init(rate: Int, holdsPackets: Bool = false) {
        frameSamples = rate / 50
        let kept = holdsPackets ? 0 : Self.most
        samples = .allocate(capacity: kept * frameSamples)
        samples.initialize(repeating: 0)
        flags = .allocate(capacity: kept)
        flags.initialize(repeating: 0)
        tracks = .allocate(capacity: kept)
        tracks.initialize(repeating: .caller)
        ring = holdsPackets ? PacketRing(packets: Self.mostPackets, bytes: Self.mostBytes) : nil
    }

    deinit {
        samples.deallocate()
        flags.deallocate()
        tracks.deallocate()
    }

    /// Keeps the frame that stands at `end`, with the flags it was said with.
    func keep(_ frame: UnsafeBufferPointer<Int16>, flags: UInt8 = 0, track: TandemDialect.Track = .caller) {
        guard let base = samples.baseAddress, let source = frame.baseAddress, frame.count == frameSamples, ring == nil else { return }
        let number = Int(end / Int64(frameSamples)) % Self.most
        (base + number * frameSamples).update(from: source, count: frameSamples)
        self.flags[number] = flags
        tracks[number] = track
        end += Int64(frameSamples)
        frames = min(frames + 1, Self.most)
    }

    /// What would stand before sample `position` never came: silence is kept in its place. Packets say themselves where they stand.
    func skip(to position: Int64, track: TandemDialect.Track) {
        guard ring == nil else { return }
        end = max(end, position - Int64(Self.most * frameSamples))
        withUnsafeTemporaryAllocation(of: Int16.self, capacity: frameSamples) { silence in
            silence.initialize(repeating: 0)
            while end < position { keep(UnsafeBufferPointer(silence), track: track) }
        }
    }

    /// Keeps a packet; the oldest ones go where there is no room.
    func keep(_ packet: CallerPacket) {
        guard let ring else { return }
        while ring.count > 0, !ring.append(packet.payload, position: packet.position, samples: packet.samples) { ring.removeFirst() }
        if ring.count == 0 { _ = ring.append(packet.payload, position: packet.position, samples: packet.samples) }
        end = packet.position + Int64(packet.samples)
        while let first = ring.first, end - first.position > Int64(Self.seconds * OpusClock.rate) { ring.removeFirst() }
    }

    /// The first sample that is still kept.
    var start: Int64 { ring.map { $0.first?.position ?? end } ?? end - Int64(frames * frameSamples) }

    /// Calls `body` with every kept frame from that of sample `position` on, where it stands, its flags and whose it is.
    func frames(from position: Int64, _ body: (UnsafeBufferPointer<Int16>, Int64, UInt8, TandemDialect.Track) -> Void) {
        guard ring == nil else { return }
        var place = max(start, position / Int64(frameSamples) * Int64(frameSamples))
        while place < end {
            let number = Int(place / Int64(frameSamples)) % Self.most
            let first = number * frameSamples
            body(UnsafeBufferPointer(rebasing: samples[first..<(first + frameSamples)]), place, flags[number], tracks[number])
            place += Int64(frameSamples)
        }
    }

    /// Calls `body` with every kept packet that ends behind sample `position`.
    func packets(from position: Int64, _ body: (CallerPacket) -> Void) {
        guard let ring else { return }
        var next: Int64?
        for index in 0..<ring.count {
            let packet = ring[index]
            let end = packet.position + Int64(packet.samples)
            if end > position {
                let isAfterGap = next.map { $0 != packet.position } ?? (packet.position > position)
                body(CallerPacket(payload: packet.payload, position: packet.position, samples: packet.samples, isAfterGap: isAfterGap))
            }
            next = end
        }
    }

    /// The packets are another party's from here on, and no packet says whose it is.
    func forgetPackets() {
        while let ring, ring.count > 0 { ring.removeFirst() }
    }

    func keep(event text: ByteBuffer, seq: Int64) {
        if events.count == Self.mostEvents { events.removeFirst() }
        events.append((seq, text))
    }

    /// The kept events after `seq`, in order.
    func events(after seq: Int64) -> [ByteBuffer] { events.filter { $0.seq > seq }.map(\.text) }
}
