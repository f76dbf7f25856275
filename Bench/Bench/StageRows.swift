import CBench
import RTP
import Transcode

/// Stages alone: what the rows of whole directions are made of.
struct StageRows {
    private static let frames = MediaRows.frames

    static func rows() throws -> [Comparison] {
        try protections() + encoders() + decoders() + resamplers()
    }

    // MARK: SRTP

    private static func protections() throws -> [Comparison] {
        try [SRTPProfile.aeadAES128GCM, .aesCM128HMACSHA1_80].flatMap { profile in
            // 160 bytes of payload, as G.711 has: the largest usual packet.
            let leg = Leg(rate: 8000, profile: profile, isOpus: false)
            let plain = try Leg.mu.packetsOfPeer(frames: frames)
            let secret = try leg.packetsOfPeer(frames: frames)
            return [
                protection("protect 172 B, \(profile.sdesName)", leg, plain, isSending: true),
                protection("unprotect 172 B, \(profile.sdesName)", leg, secret, isSending: false),
            ]
        }
    }

    private static func protection(_ name: String, _ leg: Leg, _ packets: PacketSlab, isSending: Bool) -> Comparison {
        Comparison(
            group: "SRTP, per packet", name: name, items: frames,
            bare: {
                let state = try BareLeg(leg, isSending: isSending)
                let work = packets.copy()
                return Round(digest: { work.digest }) {
                    var view = work.view
                    let done = isSending ? bench_protect(state.handle, &view) : bench_unprotect(state.handle, &view)
                    guard done == frames else { throw BenchFailure("the C loop refused packet \(done)") }
                }
            },
            ours: {
                guard let context = try leg.makeContext() else { throw BenchFailure("no SRTP context") }
                let work = packets.copy()
                return Round(digest: { work.digest }) {
                    for index in 0..<work.count {
                        let bytes = work.pointer(index)
                        let length = Int(work.lengths[index])
                        let result =
                            isSending
                            ? context.protect(bytes, length: length, capacity: work.stride) : context.unprotect(bytes, length: length)
                        guard let result else { throw BenchFailure("packet \(index) was refused") }
                        work.lengths[index] = Int32(result)
                    }
                }
            })
    }

    // MARK: Opus

    private static func encoders() throws -> [Comparison] {
        [8000, 16_000].map { rate in
            let leg = Leg.opus(rate, nil)
            let speech = Speech.make(rate: rate, frames: frames)
            return Comparison(
                group: "Opus, per 20 ms frame", name: "encode from \(rate / 1000) kHz, 24 kbit/s, complexity 5", items: frames,
                bare: {
                    let state = try BareLeg(leg, isSending: true)
                    let output = PacketSlab(count: frames)
                    return Round(digest: { output.digest }) {
                        var view = output.view
                        guard bench_encode(state.handle, speech.samples, Int32(speech.frameSamples), &view) == frames else {
                            throw BenchFailure("the C loop could not encode")
                        }
                    }
                },
                ours: {
                    let encoder = try leg.makeEncoder()
                    let output = PacketSlab(count: frames)
                    return Round(digest: { output.digest }) {
                        for index in 0..<frames {
                            let size = encoder.encode(speech.frame(index), into: output.room(index))
                            guard size > 0 else { throw BenchFailure("frame \(index) does not encode") }
                            output.lengths[index] = Int32(size)
                        }
                    }
                })
        }
    }

    private static func decoders() throws -> [Comparison] {
        let payloads = try payloadsOfBrowser()
        return [8000, 16_000, 48_000].map { rate in
            let leg = Leg.opus(rate, nil)
            return Comparison(
                group: "Opus, per 20 ms frame", name: "decode to \(rate / 1000) kHz", items: frames,
                bare: {
                    let state = try BareLeg(leg, isSending: false)
                    let output = SampleSlab(frames: frames, frameSamples: rate / 50)
                    return Round(digest: { output.digest }) {
                        var view = payloads.view
                        guard bench_decode(state.handle, &view, output.samples, Int32(output.frameSamples)) == frames else {
                            throw BenchFailure("the C loop could not decode")
                        }
                    }
                },
                ours: {
                    let decoder = try leg.makeDecoder()
                    let output = SampleSlab(frames: frames, frameSamples: rate / 50)
                    return Round(digest: { output.digest }) {
                        for index in 0..<frames {
                            guard decoder.decode(payloads.packet(index), into: output.room(index)) == output.frameSamples else {
                                throw BenchFailure("frame \(index) does not decode")
                            }
                        }
                    }
                })
        }
    }

    /// The payloads of a browser's packets.
    private static func payloadsOfBrowser() throws -> PacketSlab {
        let packets = try Leg.opus(48_000, nil).packetsOfPeer(frames: frames)
        let payloads = PacketSlab(count: frames)
        for index in 0..<frames {
            let payload = packets.packet(index)[RTPPacketView.headerLength...]
            payloads.room(index).copyBytes(from: payload)
            payloads.lengths[index] = Int32(payload.count)
        }
        return payloads
    }

    // MARK: Resampling

    private static let pairs = [
        (8000, 16_000), (16_000, 8000), (8000, 24_000), (24_000, 8000), (8000, 48_000), (48_000, 8000), (16_000, 24_000), (24_000, 16_000),
        (16_000, 48_000), (48_000, 16_000), (24_000, 48_000), (48_000, 24_000),
    ]

    private static func resamplers() throws -> [Comparison] {
        pairs.map { from, to in
            let speech = Speech.make(rate: from, frames: frames)
            // The power of the sound, for the filters differ: 3 % is a quarter of a decibel.
            return Comparison(
                group: "resampling, per 20 ms frame, against speexdsp quality 3", name: "\(from / 1000) → \(to / 1000) kHz", items: frames,
                agreement: .within(0.03),
                bare: {
                    let state = try BareResampler(from: from, to: to)
                    let output = SampleSlab(frames: frames, frameSamples: to / 50)
                    return Round(result: { output.power }) {
                        let written = bench_resample(
                            state.handle, speech.samples, Int32(speech.frameSamples), Int32(frames), output.samples, Int32(output.frameSamples))
                        guard written > 0 else { throw BenchFailure("speexdsp failed") }
                    }
                },
                ours: {
                    guard let resampler = Resampler(from: from, to: to) else { throw BenchFailure("no resampler") }
                    let output = SampleSlab(frames: frames, frameSamples: to / 50)
                    return Round(result: { output.power }) {
                        for index in 0..<frames {
                            guard resampler.process(speech.frame(index), into: output.room(index)) == output.frameSamples else {
                                throw BenchFailure("frame \(index) came out in another length")
                            }
                        }
                    }
                })
        }
    }
}

/// speexdsp's resampler.
final class BareResampler {
    let handle: OpaquePointer

    init(from input: Int, to output: Int) throws {
        guard let handle = bench_resampler_new(Int32(input), Int32(output), 3) else { throw BenchFailure("speexdsp has no such resampler") }
        self.handle = handle
    }

    deinit {
        bench_resampler_free(handle)
    }
}
