import NIOCore
import RTP
import TestKit

/// A session that takes packets and reports of a browser, in any order and at any time (RFC 3550, 4733, 2198, 4585).
enum RTPTarget: FuzzTarget {
    private static let formats = RTPFormats(
        receiveAudio: [RTPFormat(payloadType: 111, clockRate: 48_000), RTPFormat(payloadType: 0, clockRate: 8000)],
        receiveTelephoneEvents: [RTPFormat(payloadType: 110, clockRate: 48_000)], sendAudio: RTPFormat(payloadType: 111, clockRate: 48_000),
        sendTelephoneEvent: RTPFormat(payloadType: 110, clockRate: 48_000), receiveRedundancy: RTPFormat(payloadType: 63, clockRate: 48_000),
        sendRedundancy: 63, retransmission: true, transportSequence: 3, reducedSize: true)
    private static let source = TransportAddress(ipv4: 0xC000_0201, port: 4000)

    static var seeds: [[UInt8]] {
        func packet(_ type: UInt8, _ sequence: UInt8, _ payload: [UInt8]) -> [UInt8] {
            FuzzInput.piece([0x80, type, 0, sequence, 0, 0, sequence, 0, 0, 0, 0, 7] + payload)
        }
        let sound = (UInt8(0)..<12).map { [0] + packet(111, $0, [0x78, 1, 2, 3]) + [2, 20] }
        let report: [UInt8] = [0x81, 200, 0, 12, 0, 0, 0, 7] + [UInt8](repeating: 3, count: 44) + [0x81, 202, 0, 2, 0, 0, 0, 7, 1, 1, 65, 0]
        let feedback: [UInt8] = [
            0x81, 205, 0, 3, 0, 0, 0, 7, 0, 0, 0, 9, 0, 5, 0, 3, 0x8F, 205, 0, 6, 0, 0, 0, 7, 0, 0, 0, 9, 0, 1, 0, 4, 0, 0, 9, 1, 0x20, 4, 4, 4, 4, 4, 0, 0,
        ]
        return [
            Array(sound.joined()), Array(sound.shuffled(using: &random).joined()) + [3],
            [0] + packet(110, 1, [5, 0x0A, 0, 160]) + [0] + packet(110, 2, [5, 0x8A, 1, 64]),
            [0] + packet(63, 3, [0x80 | 111, 0, 4, 2, 111, 9, 9, 8, 8]) + [0] + packet(13, 4, [40]),
            [4, 4, 4, 1] + FuzzInput.piece(report) + [1] + FuzzInput.piece(feedback) + [3, 5],
        ]
    }

    nonisolated(unsafe) private static var random = SeededGenerator(seed: 3)

    static func run(_ input: FuzzInput) {
        var input = input
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        var generator = SeededGenerator(seed: 1)
        var session = RTPSession(configuration: RTPSession.Configuration(formats: formats, cname: "fuzz", using: &generator), now: now)
        session.setAsksAgain(true)
        session.setRedundant(true)
        var events: [RTPEvent] = []
        var room = [UInt8](repeating: 0, count: 2048)
        var timestamp: Int64 = 0
        while !input.isEmpty {
            events.removeAll(keepingCapacity: true)
            switch input.byte() % 6 {
            case 0:
                input.piece().withUnsafeBytes { packet in
                    session.receive(packet, from: source, now: now, into: &events)
                    touch(events)
                }
            case 1: input.piece().withUnsafeBytes { session.receiveControl($0, now: now, into: &events) }
            case 2: now = now + .milliseconds(Int64(input.byte()))
            case 3: session.expire(now: now, into: &events)
            case 4:
                timestamp += 960
                let sound = [UInt8](repeating: 1, count: Int(input.byte()))
                room.withUnsafeMutableBytes { room in
                    _ = sound.withUnsafeBytes { session.writePacket(payload: $0, timestamp: timestamp, marker: false, now: now, into: room) }
                }
            default:
                now = now + .seconds(1)
                room.withUnsafeMutableBytes { room in
                    _ = session.writeControl(now: now, wallClock: NTPTimestamp(seconds: 1, fraction: 1), into: room)
                    _ = session.writeFeedback(now: now, into: room)
                }
            }
        }
    }

    /// Reads every byte that an event refers to, while it is there.
    private static func touch(_ events: [RTPEvent]) {
        for case .frame(let frame) in events { checksum &+= frame.payload.reduce(UInt64(0)) { $0 &+ UInt64($1) } }
    }

    nonisolated(unsafe) private static var checksum: UInt64 = 0
}
