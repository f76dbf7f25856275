import CBench
import NIOCore

/// One end of a call: sends a frame every 20 ms, and counts and hears what comes.
final class LoadLeg {
    let transport: any LoadTransport
    /// What it said and heard since `beginWindow`.
    private(set) var counts = LegCounts()
    /// Of markers, in milliseconds: what the gateway added, without the delay of our own encoder.
    private(set) var delays: [Double] = []
    /// Whose sound arrives here; this leg itself where an agent echoes.
    weak var far: LoadLeg?

    private let sound: CallSound
    private let sourceIdentifier: UInt32
    private let listener: MarkerListener?
    private var position: Int
    private var sequence: UInt16 = 0
    private var timestamp: UInt32 = 0
    private var next: NIODeadline?
    /// When the last markers left, by the wall clock.
    private var marks: [Int64] = []
    private static let frame = TimeAmount.milliseconds(20)
    private static let headerLength = 12
    private static let underWay = 4

    /// - Parameters:
    ///   - number: the call's, so that no two calls say the same at once
    ///   - isProbe: it says and hears markers instead of speech
    init(_ sound: CallSound, over transport: any LoadTransport, number: Int, isProbe: Bool) throws {
        self.sound = sound
        self.transport = transport
        sourceIdentifier = UInt32(sound.isOpus ? BENCH_BROWSER_SSRC : BENCH_PHONE_SSRC) + UInt32(number)
        listener = isProbe ? try MarkerListener(isOpus: sound.isOpus) : nil
        position = listener == nil && sound.isRotated ? number * 137 % sound.speech.count : 0
    }

    var isReady: Bool { transport.isReady }

    /// Sends from this moment on.
    func begin(at moment: NIODeadline) { next = moment }

    func end() { next = nil }

    /// Packets that the far end sent and that did not come, whatever the sequence numbers say; those under way at the edges
    /// of the window left out.
    var undelivered: Int { max(0, (far?.counts.sent ?? 0) - counts.received - Self.underWay) }

    func beginWindow() {
        counts = LegCounts()
        delays = []
    }

    /// Reads what came, sends what is due.
    func turn(now: NIODeadline) {
        transport.poll(now: now) { receive($0, arrived: $1) }
        while let due = next, due <= now {
            if now - due > .milliseconds(5) { counts.late += 1 }
            sendFrame()
            next = due + Self.frame
        }
    }

    private func sendFrame() {
        let payloads = listener == nil ? sound.speech : sound.marker
        var packet: [UInt8] = [0x80, sound.payloadType, UInt8(sequence >> 8), UInt8(truncatingIfNeeded: sequence)]
        for word in [timestamp, sourceIdentifier] { withUnsafeBytes(of: word.bigEndian) { packet.append(contentsOf: $0) } }
        packet += payloads[position]
        if listener != nil, position == CallSound.markedFrame { marks = marks.suffix(3) + [bench_wall_nanoseconds()] }
        transport.send(packet)
        counts.sent += 1
        position = (position + 1) % payloads.count
        sequence &+= 1
        timestamp &+= sound.step
    }

    private func receive(_ packet: [UInt8], arrived: Int64) {
        guard packet.count > Self.headerLength, packet[0] == 0x80, packet[1] & 0x7F == sound.payloadType else { return }
        counts.received(sequence: UInt16(packet[2]) << 8 | UInt16(packet[3]))
        guard let onset = listener?.onset(in: packet[Self.headerLength...]), let far else { return }
        let heard = arrived + Int64(onset * 1_000_000)
        guard let mark = far.marks.last(where: { $0 <= heard }) else { return }
        delays.append(Double(heard - mark) / 1_000_000 - far.sound.encoderDelay)
    }
}

/// Packets of one leg.
struct LegCounts {
    var sent = 0
    /// Frames that left more than 5 ms after their time: the machine was too busy to trust the row.
    var late = 0
    private(set) var received = 0
    /// Packets that should have come by their sequence numbers.
    private(set) var expected = 0
    private var last: UInt16?

    mutating func received(sequence: UInt16) {
        received += 1
        let step = last.map { Int(Int16(bitPattern: sequence &- $0)) } ?? 1
        guard step > 0 else { return }
        expected += step
        last = sequence
    }

    var lost: Int { max(0, expected - received) }
}
