import NIOCore
import RTP
import SDP
import Transcode

/// The receiving half of an RTP port: what the session yields becomes sound at the bridge's rate, at once.
///
/// Toward a far end that wants a gap-free stream (an agent) it also fills what does not come: 50 frames a second by the
/// sender's media clock, held to wall time (ARCHITECTURE 4a.1 and 4a.2).
final class InboundStream {
    struct Counters: Sendable {
        /// Lost packets restored from the next one (Opus in-band FEC).
        var recovered = 0
        /// Lost packets of which a later one brought a copy (RFC 2198).
        var restored = 0
        /// Milliseconds concealed by a decoder.
        var concealedMilliseconds = 0
        /// Milliseconds of silence or comfort noise put in.
        var filledMilliseconds = 0
        /// Frames that came for time already filled.
        var tooLate = 0
        /// Payloads the decoder refused.
        var undecodable = 0

        mutating func add(_ other: Counters) {
            recovered += other.recovered
            restored += other.restored
            concealedMilliseconds += other.concealedMilliseconds
            filledMilliseconds += other.filledMilliseconds
            tooLate += other.tooLate
            undecodable += other.undecodable
        }
    }

    var counters = Counters()
    /// Frames go here; set while joined to a bridge.
    unowned var output: (any InboundStreamOutput)?

    /// Hertz of what comes out.
    let rate: Int
    let isGapFree: Bool
    /// The far end holds its audio, or we told it to: fill at once.
    var isHeld = false
    /// More of the stream follows at once: what was held back for a lost packet lags behind wall time only for this moment.
    var isFollowed = false
    /// The loop stood still: the next frame goes on where the stream was.
    private var isAfterStall = false
    /// A key is being pressed: what leaks of its tone into the audio is muted (4a.6), and one frame after it, for the tone
    /// comes out of the far end's encoder later than the key's last packet.
    var isMuted = false {
        didSet { if oldValue, !isMuted { mutedTail = rate / 50 } }
    }
    /// Where keys may come as tones: heard, told and muted.
    var inbandKeys: InbandKeys?
    /// While a call is young: tones that say who or what is on the line.
    var lineTones: LineTones?
    /// Takes out what a phone line sends back of what is played to it.
    var echo: LineEcho?
    /// Brings what is said to a common level, behind everything that must hear it as it came.
    var gain: GainControl?
    /// The far end takes Opus packets as they came.
    var passing = OpusPassing.off
    /// Samples still to be muted after a key.
    private var mutedTail = 0

    private var decoders: [UInt8: Decoder] = [:]
    private let formats: [UInt8: AudioCodec]
    private var current: Decoder?
    /// That `current` was chosen for: most packets are of the type before.
    private var currentPayloadType: UInt8?
    private let scratch: SampleBuffer
    private let holeScratch: SampleBuffer
    let noise: ComfortNoise

    // The axis, in samples of `rate`: `shift` carries the sender's time onto ours, `position` is where the next frame belongs.
    private var shift: Int64 = 0
    var position: Int64?
    private var startsAxis = true
    private var lateInARow = 0

    // What filling needs to know.
    var clock: FillClock
    private var concealedInARow = 0
    /// Toward a far end with a jitter buffer of its own: what a stall held back is left out (4a.4).
    private var stall: StallGuard

    /// Samples at `rate` that one payload can hold: 120 ms of Opus (RFC 6716 section 2.1.4), or 1500 bytes of G.711.
    private static func largestFrame(at rate: Int) -> Int { min(5760, rate / 1000 * 188) }
    /// Concealment longer than this sounds worse than silence (milliseconds).
    private static let longestConcealment = 60
    /// Frames too late in a row after which the sender's clock is followed again.
    private static let lateBeforeRebase = 5
    /// Longest silence in seconds that is filled rather than skipped.
    private static let longestFill: Int64 = 2

    init(formats: [UInt8: AudioCodec], rate: Int, gapFree: Bool, seed: UInt64, now: NIODeadline) {
        self.formats = formats
        self.rate = rate
        isGapFree = gapFree
        scratch = SampleBuffer(capacity: Self.largestFrame(at: rate))
        holeScratch = SampleBuffer(capacity: rate / 50)
        noise = ComfortNoise(seed: seed)
        clock = FillClock(rate: rate, now: now)
        stall = StallGuard(rate: rate)
        if gapFree { position = 0 }
    }

    func receive(_ frame: RTPFrame, now: NIODeadline) {
        guard let decoder = decoder(for: frame.payloadType) else { return }
        if frame.afterNewSource {
            decoder.reset()
            startsAxis = true
        }
        if isAfterStall {
            isAfterStall = false
            if isGapFree, position != nil { startsAxis = true }
        }
        let time = decoder.mediaTime(frame.extendedTimestamp)
        guard isGapFree || isInTime(time, arrival: frame.arrival), !frame.isCopy || isStillMissing(time) else { return }
        let count = samples(of: frame, decoder, now: now)
        guard count > 0 else {
            counters.undecodable += 1
            return
        }
        let isDTX = decoder.codec == .opus && frame.payload.count <= OpusPacket.largestDTXPayload
        if isGapFree, !frame.isCopy { clock.observe(time, arrival: frame.arrival, startsAxis: startsAxis) }
        clock.arrived(now: now, isDTX: isDTX, samples: isDTX ? nil : count)
        guard align(time, count: count, now: now) else { return }
        concealedInARow = 0
        if isDTX, decodes(decoder) { noise.observe(UnsafeBufferPointer(scratch.prefix(count))) }
        if isGapFree, !holdToWallTime(count, arrival: frame.arrival, now: now) { return }
        if frame.isCopy { counters.restored += 1 }
        if passes(decoder) {
            return emit(count, frame.isCopy ? .recovered : .received, payload: frame.payload, codec: .opus, now: now)
        }
        let payload = echo?.isActive == true || gain != nil ? nil : frame.payload
        guard frame.isCopy else { return emit(count, .received, payload: payload, codec: decoder.codec, now: now) }
        emit(count, .recovered, now: now)
    }

    /// Whether the decoder's packets are passed on as they came.
    private func passes(_ decoder: Decoder) -> Bool { passing != .off && decoder.codec == .opus }

    /// Whether anybody hears what the decoder would make.
    private func decodes(_ decoder: Decoder) -> Bool {
        !passes(decoder) || passing == .decodedPackets || inbandKeys != nil || lineTones != nil
    }

    /// Puts the sound of a packet into `scratch` where anybody hears it.
    /// - Returns: its length in samples; 0 when it is malformed
    private func samples(of frame: RTPFrame, _ decoder: Decoder, now: NIODeadline) -> Int {
        guard decodes(decoder) else { return OpusPacket.duration(of: frame.payload, rate: rate) ?? 0 }
        return decoder.decode(frame.payload, at: .init(timestamp: frame.extendedTimestamp, now: now), into: scratch.samples)
    }

    private func isInTime(_ time: Int64, arrival: NIODeadline) -> Bool {
        if startsAxis { stall.reset() }
        guard stall.observe(time, arrival: arrival) else { return true }
        counters.tooLate += 1
        return false
    }

    /// Keeps a sender whose clock runs fast or slow within 60 ms of wall time, by a frame left out or put in.
    /// - Parameter arrival: of the frame: the time that we ourselves held it back for a lost one is no lag of the sender's
    /// - Returns: false when this frame is to be left out.
    private func holdToWallTime(_ count: Int, arrival: NIODeadline, now: NIODeadline) -> Bool {
        let lead = clock.lead(of: (position ?? 0) + Int64(count), now: now)
        if lead > clock.tolerance {
            shift -= Int64(count)
            counters.tooLate += 1
            return false
        }
        if lead + clock.samples(from: arrival, to: now) < -clock.lagTolerance, !isFollowed {
            let frame = rate / 50
            shift += Int64(frame)
            fillHole(frame)
        }
        return true
    }

    /// A hole in the sequence: every missing frame is recovered, concealed or replaced by noise, in that order of preference.
    func receive(_ lost: LostFrames, now: NIODeadline) {
        guard let decoder = current, !(isGapFree && isAfterStall), decodes(decoder) else { return }
        let samples = min(decoder.samples(lost.timestampStep), scratch.samples.count)
        guard samples > 0 else { return }
        for index in 0..<lost.count {
            let place = Decoder.Place(timestamp: lost.extendedTimestamp + Int64(index) * lost.timestampStep, now: now)
            let next = index == lost.count - 1 ? lost.next : nil
            replace(decoder, at: place, samples: samples, next: next, now: now)
        }
    }

    /// A comfort-noise packet (RFC 3389): silence follows, as loud as it says.
    /// - Parameter level: in dBFS
    func receive(noiseLevel level: Float, now: NIODeadline) {
        noise.set(level: level)
        clock.arrived(now: now, isDTX: true, samples: nil)
        concealedInARow = 0
    }

    func receive(_ gap: StreamGap) {
        current?.reset()
        startsAxis = true
    }

    private func replace(
        _ decoder: Decoder, at place: Decoder.Place, samples: Int, next: UnsafeRawBufferPointer?, now: NIODeadline
    ) {
        let time = decoder.mediaTime(place.timestamp)
        guard isStillMissing(time) else {
            concealedInARow = 0
            return
        }
        if !isGapFree, stall.isLate(time, now: now) { return }
        guard align(time, count: samples, now: now) else { return }
        if let next, let count = decoder.recover(from: next, samples: samples, into: scratch.samples), count > 0 {
            counters.recovered += 1
            concealedInARow = 0
            return emit(count, .recovered, now: now)
        }
        conceal(decoder, at: place, samples: samples, now: now)
    }

    /// Whether the place of a lost frame was not filled meanwhile.
    private func isStillMissing(_ time: Int64) -> Bool {
        guard isGapFree, let position, !startsAxis else { return true }
        return time + shift >= position
    }

    /// Conceals up to 60 ms in a row, then comfort noise.
    private func conceal(_ decoder: Decoder?, at place: Decoder.Place? = nil, samples: Int, now: NIODeadline) {
        let milliseconds = samples * 1000 / rate
        if let decoder, concealedInARow < Self.longestConcealment {
            let count = decoder.conceal(samples: samples, at: place, into: scratch.samples)
            if count > 0 {
                concealedInARow += milliseconds
                counters.concealedMilliseconds += milliseconds
                return emit(count, .concealed, now: now)
            }
        }
        fill(samples, now: now)
    }

    private func fill(_ samples: Int, now: NIODeadline) {
        counters.filledMilliseconds += samples * 1000 / rate
        noise.fill(scratch.prefix(samples))
        emit(samples, .filler, now: now)
    }

    /// Called on the 20 ms grid: fills what should have come by now.
    /// - Parameter isWaiting: packets are held back for a lost one
    func tick(jitterMilliseconds: Double, isWaiting: Bool, now: NIODeadline) {
        if clock.ticked(now: now) { isAfterStall = true }
        guard isGapFree, let start = position else { return }
        let frame = rate / 50
        var missing =
            clock.missing(position: start, isHeld: isHeld, isWaiting: isWaiting, jitterMilliseconds: jitterMilliseconds, now: now) / frame
        while missing > 0 {
            conceal(clock.isSilence || isHeld ? nil : current, samples: frame, now: now)
            missing -= 1
        }
    }

    /// Puts a frame of the sender's `time` on our axis.
    /// - Returns: false when its place is already filled.
    private func align(_ time: Int64, count: Int, now: NIODeadline) -> Bool {
        guard isGapFree, let position else {
            let begins = startsAxis
            self.position = time
            startsAxis = begins
            return true
        }
        if startsAxis {
            shift = position - time
            startsAxis = false
            return true
        }
        let hole = time + shift - position
        if hole == 0 {
            lateInARow = 0
            return true
        }
        if hole < 0 { return alignLate(hole) }
        lateInARow = 0
        let silence = hole > Self.longestFill * Int64(rate) ? 0 : lasted(hole, before: count, at: position, now: now)
        shift -= hole - silence
        fillHole(Int(silence))
        return true
    }

    /// How much of a hole in the sender's time really passed. A clock that leaps is no silence: filled, it would put the stream
    /// before wall time, and speech would be left out until that has caught up.
    private func lasted(_ hole: Int64, before count: Int, at position: Int64, now: NIODeadline) -> Int64 {
        max(0, hole - clock.excess(of: position + hole + Int64(count), now: now))
    }

    private func alignLate(_ hole: Int64) -> Bool {
        lateInARow += 1
        guard lateInARow >= Self.lateBeforeRebase else {
            counters.tooLate += 1
            return false
        }
        lateInARow = 0
        shift -= hole
        return true
    }

    /// Silence before a frame already decoded into `scratch`: filled from storage of its own.
    private func fillHole(_ hole: Int) {
        guard let output else {
            position = (position ?? 0) + Int64(hole)
            return
        }
        var left = hole
        while left > 0 {
            let count = min(left, holeScratch.samples.count)
            noise.fill(holeScratch.prefix(count))
            counters.filledMilliseconds += count * 1000 / rate
            gain?.process(holeScratch.prefix(count), learns: false)
            deliver(holeScratch.prefix(count), .filler, to: output, now: clock.lastArrival)
            left -= count
        }
    }

    private func emit(
        _ count: Int, _ origin: AudioFrame.Origin, payload: UnsafeRawBufferPointer? = nil, codec: AudioCodec? = nil, now: NIODeadline
    ) {
        let samples = scratch.prefix(count)
        if let inbandKeys, let output { inbandKeys.hear(samples) { output.inbound(key: $0, now: now) } }
        if let lineTones, let output {
            if now < lineTones.until { lineTones.hear(samples) { output.inbound(tone: $0) } } else { self.lineTones = nil }
        }
        let isSilenced = isMuted || mutedTail > 0 || inbandKeys?.isPressed == true
        if isSilenced {
            samples.update(repeating: 0)
            mutedTail = max(0, mutedTail - count)
        }
        guard let output else {
            position = (position ?? 0) + Int64(count)
            return
        }
        var form = AudioFrame.Form.sound
        if let current, passes(current) {
            form = payload == nil || isSilenced ? .substitute : decodes(current) ? .decodedPacket : .packet
        }
        if let gain, form == .sound {
            let isSaid = !isSilenced && (origin == .received || origin == .recovered)
            gain.process(samples, learns: isSaid && echo?.mayBeEcho != true)
        }
        deliver(samples, origin, to: output, payload: isSilenced ? nil : payload, codec: codec, form: form, now: now)
    }

    private func deliver(
        _ samples: UnsafeMutableBufferPointer<Int16>, _ origin: AudioFrame.Origin, to output: any InboundStreamOutput,
        payload: UnsafeRawBufferPointer? = nil, codec: AudioCodec? = nil, form: AudioFrame.Form = .sound, now: NIODeadline
    ) {
        let time = position ?? 0
        position = time + Int64(samples.count)
        output.inbound(
            AudioFrame(
                samples: samples, mediaTime: time, origin: origin, startsAxis: isGapFree ? false : startsAxis, payload: payload,
                codec: codec, mayBeEcho: echo?.mayBeEcho == true, form: form), now: now)
        startsAxis = false
    }

    private func decoder(for payloadType: UInt8) -> Decoder? {
        if payloadType == currentPayloadType, let current { return current }
        if let known = decoders[payloadType] {
            currentPayloadType = payloadType
            if known !== current { switchDecoder(to: known) }
            return known
        }
        guard let codec = formats[payloadType], let made = Decoder(codec: codec, rate: rate) else { return nil }
        made.echo = echo
        decoders[payloadType] = made
        currentPayloadType = payloadType
        switchDecoder(to: made)
        return made
    }

    /// A new codec has a clock of its own: the sender's time cannot be continued.
    private func switchDecoder(to decoder: Decoder) {
        if current != nil { startsAxis = true }
        current = decoder
    }
}

/// Takes what a receiving half puts out.
protocol InboundStreamOutput: AnyObject {
    func inbound(_ frame: borrowing AudioFrame, now: NIODeadline)
    /// A key began as a tone in the sound.
    func inbound(key: Digit, now: NIODeadline)
    /// A tone says who or what is on the line.
    func inbound(tone: LineTone)
}
