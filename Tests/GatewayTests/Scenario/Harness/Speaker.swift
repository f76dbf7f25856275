import NIOCore
import RTP
import Transcode

/// The sound a far end sends: what it was told to say, else silence, packet by packet by its own clock.
final class Speaker {
    struct Frame {
        var payload: [UInt8]
        /// In units of the RTP clock, from 0.
        var timestamp: UInt32
        var marker: Bool
    }

    let rate: Int
    /// Parts per million by which the sender's clock runs fast.
    var clockError = 0.0
    /// Sends one packet of discontinuous transmission and then nothing while it has nothing to say.
    var usesDTX = false
    /// Sends nothing while it has nothing to say, and marks what it says then: silence suppression without comfort noise.
    var leavesSilenceOut = false
    /// Sends nothing at all, and its media time stands still meanwhile (a muted microphone of some phones).
    var isPaused = false

    /// Sent instead of what is said, for long runs that need no encoder.
    var canned: [UInt8]?

    /// Sounds under whatever is said: so many samples at each call.
    var background: ((Int) -> [Int16])?

    /// Of one packet.
    let milliseconds: Int
    private let encoder: any AudioEncoder
    /// Units of the RTP clock in a packet.
    private let step: UInt32
    private var voice: ArraySlice<Int16> = []
    private var next: NIODeadline?
    private var timestamp: UInt32
    private var sequence: UInt16
    private var saidSilence = false
    private var fraction = 0.0

    /// - Parameter clockRate: of RTP; nil: `rate`
    init?(codec: String, rate: Int, clockRate: Int? = nil, milliseconds: Int = 20, timestamp: UInt32, sequence: UInt16) {
        var settings = OpusEncoder.Settings(bitrate: 32000, complexity: 5, expectedLoss: 10)
        settings.frameMilliseconds = milliseconds
        guard let encoder = CodecCatalogue.makeEncoder(name: codec, rate: rate, opus: settings) else { return nil }
        self.milliseconds = milliseconds
        self.encoder = encoder
        step = UInt32((clockRate ?? rate) / 1000 * milliseconds)
        self.rate = rate
        self.timestamp = timestamp
        self.sequence = sequence
    }

    /// Said from now on; what was being said is cut off.
    func say(_ samples: [Int16]) { voice = samples[...] }

    var isSpeaking: Bool { !voice.isEmpty }

    /// The timestamp of the next frame, for keys.
    var position: UInt32 { timestamp }

    /// Its clock is set forward, or back.
    func leap(milliseconds: Int) { timestamp &+= UInt32(truncatingIfNeeded: Int(step) / self.milliseconds * milliseconds) }

    /// The number of the next packet, of sound or of a key.
    func takeSequence() -> UInt16 {
        defer { sequence &+= 1 }
        return sequence
    }

    /// The frames that are due.
    func due(now: NIODeadline) -> [Frame] {
        var frames: [Frame] = []
        var time = next ?? now
        while time <= now {
            if let frame = makeFrame() { frames.append(frame) }
            fraction += Double(milliseconds) * 1_000_000 / (1 + clockError * 1e-6)
            let whole = fraction.rounded(.down)
            fraction -= whole
            time = time + .nanoseconds(Int64(whole))
        }
        next = time
        return frames
    }

    private func makeFrame() -> Frame? {
        if isPaused { return nil }
        if let canned {
            defer { timestamp &+= step }
            return Frame(payload: canned, timestamp: timestamp, marker: false)
        }
        let count = rate / 1000 * milliseconds
        var samples = Array(voice.prefix(count))
        voice = voice.dropFirst(count)
        let isSilent = samples.isEmpty
        samples += [Int16](repeating: 0, count: count - samples.count)
        if let background {
            for (index, sample) in background(count).enumerated() { samples[index] = Int16(clamping: Int(samples[index]) + Int(sample)) }
        }
        defer { timestamp &+= step }
        if leavesSilenceOut {
            defer { saidSilence = isSilent }
            return isSilent ? nil : Frame(payload: encode(samples), timestamp: timestamp, marker: saidSilence)
        }
        guard usesDTX else { return Frame(payload: encode(samples), timestamp: timestamp, marker: false) }
        if isSilent, saidSilence { return nil }
        let marker = saidSilence
        saidSilence = isSilent
        // One packet of a single byte says that silence follows (RFC 6716 section 2.1.9).
        return Frame(payload: isSilent ? [0xF8] : encode(samples), timestamp: timestamp, marker: marker)
    }

    private func encode(_ samples: [Int16]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: max(OpusEncoder.maximumPayload, 2 * samples.count)) { bytes, count in
            count = samples.withUnsafeBufferPointer { encoder.encode($0, into: UnsafeMutableRawBufferPointer(bytes)) }
        }
    }
}

/// RTP packets as bytes.
enum RTPBytes {
    static func packet(payloadType: UInt8, marker: Bool, sequence: UInt16, timestamp: UInt32, source: UInt32, payload: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [0x80, payloadType | (marker ? 0x80 : 0), UInt8(sequence >> 8), UInt8(sequence & 0xFF)]
        for value in [timestamp, source] {
            for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift))) }
        }
        return bytes + payload
    }
}
