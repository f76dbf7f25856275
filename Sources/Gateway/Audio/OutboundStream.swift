import NIOCore
import RTP
import SDP
import Transcode

/// The sending half of an RTP port: sound at the bridge's rate becomes payloads of the negotiated codec and packet time, with
/// timestamps on our own axis.
final class OutboundStream {
    let codec: AudioCodec
    /// Hertz of the frames that come in.
    let rate: Int
    private let encoder: any AudioEncoder
    /// Hertz of what is encoded.
    private let encodeRate: Int
    private let resampler: Resampler?
    private let resampled: SampleBuffer
    private var accumulator: FrameAccumulator
    private(set) var mapper: TimestampMapper
    private let payload: UnsafeMutableRawBufferPointer
    private var pauses: SendingPauses
    /// When silence is to be sent next, unless a frame comes before.
    private var silenceDue: NIODeadline
    /// When the next packet of our own sound is due; nil when none was sent since the other side's.
    private var soundDue: NIODeadline?
    private let silence: SampleBuffer
    /// What silence sounds like, once the other side said it.
    private let noise = ComfortNoise(seed: 0x5EED)
    private var isNoisy = false
    /// Where the far end is a phone line: learns what is played to it.
    var echo: LineEcho?
    private var packetTime: TimeAmount
    /// Of an agent's packets that the far end does not take as they are.
    private lazy var packetSound = PacketSound(rate: rate)
    /// Between this stream and the one before it, at the codec's rate: a resampler holds some of what it was given back.
    var seam = Seam()
    /// Between the other side's sound and our own.
    private var turn = Seam()
    private var isOwnSound = false

    /// One encoded frame; the pointer is valid during the call that hands it over.
    struct Packet {
        var payload: UnsafeRawBufferPointer
        /// On our axis, in units of the codec's RTP clock.
        var timestamp: Int64
        var marker: Bool
    }

    /// Room for 120 ms at 48 kHz.
    private static let largestFrame = 5760
    /// Silence of the other side that is waited for: what is late by jitter still finds its place free.
    private static let patience = TimeAmount.milliseconds(100)
    /// A tick that comes this much before its time counts: the grid and the stream have different beginnings.
    private static let slack = TimeAmount.milliseconds(10)

    /// nil for a codec we cannot encode.
    /// - Parameter earlier: the axis of the stream this one follows on the same RTP session.
    init?(audio: NegotiatedAudio, rate: Int, opus: OpusEncoder.Settings, after earlier: TimestampMapper?, now: NIODeadline) {
        let native = CodecCatalogue.rates(of: audio.codec.rawValue)
        let settings = opus.fitted(to: audio)
        guard let encodeRate = native.contains(rate) ? rate : native.first,
            let encoder = CodecCatalogue.makeEncoder(name: audio.codec.rawValue, rate: encodeRate, opus: settings)
        else { return nil }
        codec = audio.codec
        self.rate = rate
        self.encoder = encoder
        pauses = SendingPauses(settings)
        self.encodeRate = encodeRate
        resampler = encodeRate == rate ? nil : Resampler(from: rate, to: encodeRate)
        resampled = SampleBuffer(capacity: encodeRate == rate ? 0 : Self.largestFrame)
        let longest = rate / 1000 * max(audio.packetTime, audio.maximumPacketTime)
        accumulator = FrameAccumulator(frameSamples: rate / 1000 * audio.packetTime, most: longest)
        let clockRate = audio.codec.rtpClockRate
        mapper = earlier?.continued(clockRate: clockRate) ?? TimestampMapper(clockRate: clockRate)
        packetTime = .milliseconds(Int64(audio.packetTime))
        silence = SampleBuffer(capacity: longest)
        silenceDue = now + Self.patience
        payload = .allocate(byteCount: OpusEncoder.maximumPayload + 32, alignment: 16)
    }

    deinit { payload.deallocate() }

    /// Makes the Opus of the next packets as the adaptation says; nothing for another codec.
    func apply(_ decision: OpusAdaptation.Decision) {
        guard let opus = encoder as? OpusEncoder else { return }
        opus.set(bitrate: decision.bitrate)
        opus.set(expectedLoss: decision.expectedLoss)
        packetTime = .milliseconds(Int64(decision.packetTime))
        accumulator.change(frameSamples: rate / 1000 * decision.packetTime)
    }

    /// The peer asks other things of the same Opus: the stream goes on without a break. Nothing for another codec.
    func change(_ settings: OpusEncoder.Settings) {
        guard let opus = encoder as? OpusEncoder else { return }
        opus.change(settings)
        pauses.change(settings)
    }

    /// Encodes a frame and hands over every packet that is full with it.
    func send(_ frame: borrowing AudioFrame, now: NIODeadline, emit: (Packet) -> Void) {
        let length = TimeAmount.milliseconds(Int64(frame.samples.count * 1000 / rate))
        silenceDue = now + Self.patience + length
        soundDue = nil
        if frame.startsAxis { accumulator.reset() }
        let isOpusPacket = switch frame.form {
            case .packet, .decodedPacket: codec == .opus
            case .sound, .substitute: false
        }
        if isOpusPacket, let payload = frame.payload {
            guard let place = place(frame.mediaTime, frame.samples.count, startsAxis: frame.startsAxis, now: now) else { return }
            // What the encoder held belongs before a packet that is not its own.
            accumulator.reset()
            return emit(Packet(payload: payload, timestamp: place.timestamp, marker: pauses.marker(begins: place.marker)))
        }
        if frame.form == .packet, let packetSound { return send(packetSound.decoded(frame), now: now, emit: emit) }
        if let payload = relayable(frame) {
            guard let place = place(frame.mediaTime, frame.samples.count, startsAxis: frame.startsAxis, now: now) else { return }
            if resampler == nil { echo?.played(UnsafeBufferPointer(frame.samples), timestamp: place.timestamp, now: now) }
            turn.note(frame.samples)
            seam.note(frame.samples)
            isOwnSound = false
            return emit(Packet(payload: payload, timestamp: place.timestamp, marker: place.marker))
        }
        if frame.isCut { cut(frame.samples) }
        let startsAxis = frame.startsAxis
        accumulator.append(frame.samples, mediaTime: frame.mediaTime) { samples, mediaTime in
            encode(samples, mediaTime: mediaTime, startsAxis: startsAxis, now: now, emit: emit)
        }
    }

    /// Called on the 20 ms grid: silence, packet by packet, where nobody sent anything for a while.
    func keepAlive(now: NIODeadline, emit: (Packet) -> Void) {
        guard now >= silenceDue - Self.slack else { return }
        silenceDue = max(silenceDue + packetTime, now - Self.patience)
        soundDue = nil
        if isNoisy { noise.fill(ownSound) } else { ownSound.update(repeating: 0) }
        emitOwn(now: now, emit: emit)
    }

    /// Called on the 20 ms grid while keys are sent in place of sound, which owes nothing for that time.
    func withhold(now: NIODeadline) {
        silenceDue = now + Self.patience
        soundDue = nil
        mapper.withhold(now: now)
    }

    /// The silence of `keepAlive` has noise in it from now on, as loud as this in dBFS.
    func setSilence(level: Float) {
        noise.set(level: level)
        isNoisy = true
    }

    /// Called on the 20 ms grid while we have sound of our own to send in place of the other side's, which `generate` makes.
    func sound(now: NIODeadline, generate: (UnsafeMutableBufferPointer<Int16>) -> Void, emit: (Packet) -> Void) {
        var due = soundDue.map { max($0, now - Self.patience) } ?? now
        while due <= now + Self.slack {
            generate(ownSound)
            emitOwn(now: now, emit: emit)
            due = due + packetTime
        }
        soundDue = due
        silenceDue = now + Self.patience + packetTime
    }

    /// Room for one packet of our own.
    private var ownSound: UnsafeMutableBufferPointer<Int16> { silence.prefix(accumulator.frameSamples) }

    /// Sends what stands in the buffer of silence, directly behind the last frame.
    private func emitOwn(now: NIODeadline, emit: (Packet) -> Void) {
        accumulator.reset()
        let place = mapper.fill(samples: ownSound.count, rate: rate, now: now)
        join(ownSound, isOwn: true)
        emitEncoded(ownSound, at: place, now: now, emit: emit)
    }

    /// Our axis at `now`, for keys.
    func timestamp(at now: NIODeadline) -> Int64 { mapper.timestamp(at: now) }

    /// The received payload where it can go on as it is: same codec, same packet time.
    private func relayable(_ frame: borrowing AudioFrame) -> UnsafeRawBufferPointer? {
        guard let payload = frame.payload, frame.codec == codec, codec != .opus,
            frame.samples.count == accumulator.frameSamples
        else { return nil }
        return payload
    }

    private func encode(
        _ samples: UnsafeMutableBufferPointer<Int16>, mediaTime: Int64, startsAxis: Bool, now: NIODeadline, emit: (Packet) -> Void
    ) {
        guard let place = place(mediaTime, samples.count, startsAxis: startsAxis, now: now) else { return }
        join(samples, isOwn: false)
        emitEncoded(samples, at: place, now: now, emit: emit)
    }

    /// Opus holds back 6.5 ms of what it was given, which would be heard yet. Begun anew it holds nothing, and the far end's decoder lets
    /// what it plays ring off within 2 ms. Nothing for other codecs, and where the packet has begun.
    private func cut(_ samples: UnsafeMutableBufferPointer<Int16>) {
        guard accumulator.isEmpty, let opus = encoder as? OpusEncoder else { return }
        samples.update(repeating: 0)
        opus.reset()
        resampler?.reset()
    }

    private func join(_ samples: UnsafeMutableBufferPointer<Int16>, isOwn: Bool) {
        if isOwn != isOwnSound { turn.open() }
        isOwnSound = isOwn
        turn.join(samples, rate: rate)
    }

    private func emitEncoded(
        _ samples: UnsafeMutableBufferPointer<Int16>, at place: TimestampMapper.Place, now: NIODeadline, emit: (Packet) -> Void
    ) {
        var ready = samples
        if let resampler { ready = resampled.prefix(resampler.process(UnsafeBufferPointer(samples), into: resampled.samples)) }
        seam.join(ready, rate: encodeRate)
        let source = UnsafeBufferPointer(ready)
        echo?.played(source, timestamp: place.timestamp, now: now)
        let bytes = encoder.encode(source, into: payload)
        guard let marker = pauses.marker(bytes: bytes, begins: place.marker) else { return }
        emit(Packet(payload: UnsafeRawBufferPointer(rebasing: payload[0..<bytes]), timestamp: place.timestamp, marker: marker))
    }

    private func place(_ mediaTime: Int64, _ count: Int, startsAxis: Bool, now: NIODeadline) -> TimestampMapper.Place? {
        mapper.place(mediaTime: mediaTime, samples: count, rate: rate, startsAxis: startsAxis, now: now)
    }
}
