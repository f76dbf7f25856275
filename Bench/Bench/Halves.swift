import NIOCore
import RTP
import Transcode

/// Tandem's receiving half: SRTPContext, RTPSession, decoder.
final class Receiver {
    private let context: SRTPContext?
    private var session: RTPSession
    private let decoder: any AudioDecoder
    private var events: [RTPEvent] = []

    init(_ leg: Leg) throws {
        context = try leg.makeContext()
        session = leg.makeSession()
        decoder = try leg.makeDecoder()
        events.reserveCapacity(16)
    }

    func receive(_ packets: PacketSlab, into output: SampleSlab) throws {
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var frame = 0
        for index in 0..<packets.count {
            let bytes = packets.pointer(index)
            var length = Int(packets.lengths[index])
            if let context {
                guard let plain = context.unprotect(bytes, length: length) else { throw BenchFailure("packet \(index) was refused") }
                length = plain
            }
            events.removeAll(keepingCapacity: true)
            session.receive(UnsafeRawBufferPointer(start: bytes, count: length), from: MediaRows.peer, now: now, into: &events)
            for case .frame(let sound) in events {
                guard frame < output.frames, decoder.decode(sound.payload, into: output.room(frame)) == output.frameSamples else {
                    throw BenchFailure("frame \(frame) does not decode")
                }
                frame += 1
            }
            now = now + .milliseconds(20)
        }
        guard frame == packets.count else { throw BenchFailure("\(packets.count) packets gave \(frame) frames") }
    }
}

/// Tandem's sending half: encoder, RTPSession, SRTPContext.
final class Sender {
    private let context: SRTPContext?
    private var session: RTPSession
    private let encoder: any AudioEncoder
    private let step: Int64

    init(_ leg: Leg, encoder: (any AudioEncoder)? = nil) throws {
        context = try leg.makeContext()
        session = leg.makeSession()
        self.encoder = try encoder ?? leg.makeEncoder()
        step = Int64(leg.clockRate / 50)
    }

    func send(_ speech: SampleSlab, into packets: PacketSlab) throws {
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        let header = RTPPacketView.headerLength
        for index in 0..<speech.frames {
            let room = packets.room(index)
            let payloadRoom = UnsafeMutableRawBufferPointer(rebasing: room[header..<(room.count - 16)])
            let size = encoder.encode(speech.frame(index), into: payloadRoom)
            guard size > 0 else { throw BenchFailure("frame \(index) does not encode") }
            var length = session.writePacket(
                payload: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(payloadRoom)[..<size]), timestamp: Int64(index) * step,
                marker: index == 0, now: now, into: room)
            if let context {
                guard let secret = context.protect(packets.pointer(index), length: length, capacity: packets.stride) else {
                    throw BenchFailure("packet \(index) cannot be protected")
                }
                length = secret
            }
            packets.lengths[index] = Int32(length)
            now = now + .milliseconds(20)
        }
    }
}
