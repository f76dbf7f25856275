import NIOCore
import Transcode

/// The caller's sound on its way to an agent that takes Opus packets: packets as they came, and what is no Opus (the caller changed
/// the codec) encoded. Puts both on one clock that begins at 0 and keeps the sender's distances.
final class PacketUplink {
    /// Where on the caller's clock the next packet belongs, if nothing is missing.
    private(set) var end: Int64 = 0
    private var mapper = TimestampMapper(clockRate: OpusClock.rate)
    private let rate: Int
    private var encoder: OpusEncoder?
    private var accumulator: FrameAccumulator
    private let payload = UnsafeMutableRawBufferPointer.allocate(byteCount: OpusEncoder.maximumPayload, alignment: 8)

    /// What a caller is encoded at who does not speak Opus: as toward browsers.
    private static let settings = OpusEncoder.Settings(bitrate: 32_000, complexity: 5, expectedLoss: 0)

    /// - Parameter rate: of the frames that come, in Hz
    init(rate: Int) {
        self.rate = rate
        accumulator = FrameAccumulator(frameSamples: rate / 50)
    }

    deinit { payload.deallocate() }

    /// Calls `body` with each packet that the frame makes.
    func take(_ frame: borrowing AudioFrame, now: NIODeadline, _ body: (CallerPacket) -> Void) {
        switch frame.form {
        case .substitute: break
        case .packet, .decodedPacket:
            guard let payload = frame.payload else { return }
            pass(payload, frame.samples.count, mediaTime: frame.mediaTime, startsAxis: frame.startsAxis, now: now, body)
        case .sound: encode(frame, now: now, body)
        }
    }

    private func encode(_ frame: borrowing AudioFrame, now: NIODeadline, _ body: (CallerPacket) -> Void) {
        if encoder == nil { encoder = OpusEncoder(rate: rate, settings: Self.settings) }
        guard let encoder else { return }
        var startsAxis = frame.startsAxis
        accumulator.append(frame.samples, mediaTime: frame.mediaTime) { samples, time in
            let length = encoder.encode(UnsafeBufferPointer(samples), into: payload)
            guard length > 0 else { return }
            let packet = UnsafeRawBufferPointer(rebasing: payload[0..<length])
            pass(packet, samples.count, mediaTime: time, startsAxis: startsAxis, now: now, body)
            startsAxis = false
        }
    }

    private func pass(
        _ payload: UnsafeRawBufferPointer, _ samples: Int, mediaTime: Int64, startsAxis: Bool, now: NIODeadline, _ body: (CallerPacket) -> Void
    ) {
        guard let place = mapper.place(mediaTime: mediaTime, samples: samples, rate: rate, startsAxis: startsAxis, now: now) else { return }
        let position = max(end, place.timestamp)
        let length = samples * OpusClock.rate / rate
        let packet = CallerPacket(payload: payload, position: position, samples: length, isAfterGap: position != end)
        end = position + Int64(length)
        body(packet)
    }
}

/// The clock of Opus, whatever the rate of the sound in it (RFC 7587 section 4.1).
enum OpusClock {
    /// Hertz.
    static let rate = 48_000
}
