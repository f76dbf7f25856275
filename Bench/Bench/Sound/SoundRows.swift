import Foundation
import NIOCore
import RTCStack
import TestKit
import Transcode

/// Recorded speech through Tandem and rtpengine over the same bad networks, kept as WAV files for a judge (Bench/sound.py).
///
/// One direction at a time is judged: browser to phone with the network between browser and gateway, for there a gateway
/// can restore or conceal what was lost; phone to browser without losses.
enum SoundRows {
    static let argument = "sound"
    private static let callCount = 4

    struct Condition {
        let name: String
        let loss: Double
        let jitter: TimeAmount
    }

    static let conditions = [
        Condition(name: "clean", loss: 0, jitter: .zero),
        Condition(name: "loss-2", loss: 0.02, jitter: .milliseconds(40)),
        Condition(name: "loss-5", loss: 0.05, jitter: .milliseconds(40)),
        Condition(name: "loss-10", loss: 0.10, jitter: .milliseconds(40)),
        Condition(name: "loss-15", loss: 0.15, jitter: .milliseconds(40)),
    ]

    /// - Parameters:
    ///   - speech: a WAV file, mono, 48 kHz
    ///   - folder: where the recordings go, as `GATEWAY.CONDITION.DIRECTION.CALL.wav`
    static func run(speech: String, folder: String) throws {
        let wide: WAVFile
        do {
            wide = try WAVFile(path: speech)
        } catch {
            throw BenchFailure("\(speech): \(error)")
        }
        guard wide.rate == 48_000 else { throw BenchFailure("\(speech) has \(wide.rate) samples a second, not 48000") }
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("tandem-bench-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }
        let sounds = (try CallSound(isOpus: true, speech: wide.samples), try CallSound(isOpus: false, speech: narrow(wide.samples)))
        try chain(sounds.0, sounds.1, folder)
        let certificate: DTLSCertificate
        do {
            certificate = try DTLSCertificate()
        } catch {
            throw BenchFailure("no certificate: \(error)")
        }
        for condition in conditions {
            try record(condition, "tandem", sounds, folder) {
                try TandemGateway(calls: callCount, material: $0, certificate: certificate, folder: scratch)
            }
            guard RTPEngine.isInstalled else { continue }
            try record(condition, "rtpengine", sounds, folder) {
                try RTPEngine(calls: callCount, material: $0, certificate: certificate, folder: scratch)
            }
        }
    }

    private static func record(
        _ condition: Condition, _ name: String, _ sounds: (CallSound, CallSound), _ folder: String, _ make: (CallMaterial) throws -> any CallSubject
    ) throws {
        var browsers: [RecordingTransport] = []
        var phones: [RecordingTransport] = []
        var material = CallMaterial(browser: sounds.0, phone: sounds.1)
        material.wrap = { number, browser, phone in
            let trace = NetworkTrace(loss: condition.loss, jitter: condition.jitter, seed: UInt64(number) + 1)
            let wrapped = (RecordingTransport(ImpairedTransport(browser, trace: trace)), RecordingTransport(phone))
            browsers.append(wrapped.0)
            phones.append(wrapped.1)
            return wrapped
        }
        let subject = try make(material)
        let seconds = Int64(sounds.0.speech.count / 50)
        _ = try CallLoad(subject: subject, seconds: seconds).run()
        for call in 0..<callCount {
            try write(try HeardSound.decode(phones[call].packets, sounds.1), 8000, "\(folder)/\(name).\(condition.name).phone.\(call).wav")
            guard condition.loss == 0 else { continue }
            try write(try HeardSound.decode(browsers[call].packets, sounds.0), 48_000, "\(folder)/\(name).\(condition.name).browser.\(call).wav")
        }
        print("  \(name), \(condition.name): recorded")
        fflush(nil)
    }

    /// The codecs alone, one behind the other, with Tandem's settings and no gateway between them: what no gateway can beat.
    private static func chain(_ browser: CallSound, _ phone: CallSound, _ folder: String) throws {
        guard let opus = OpusDecoder(rate: 8000), let encoder = OpusEncoder(rate: 8000, bitrate: 24_000, complexity: TandemGateway.opusComplexity),
            let last = OpusDecoder(rate: 48_000)
        else { throw BenchFailure("no Opus") }
        let toPhone = pass(browser.speech, opus, G711Encoder(law: .mu), G711Decoder(law: .mu))
        let toBrowser = pass(phone.speech, G711Decoder(law: .mu), encoder, last)
        try write(toPhone, 8000, "\(folder)/codecs.clean.phone.0.wav")
        try write(toBrowser, 48_000, "\(folder)/codecs.clean.browser.0.wav")
    }

    private static func pass(
        _ payloads: [[UInt8]], _ decoder: any AudioDecoder, _ encoder: any AudioEncoder, _ last: any AudioDecoder
    ) -> [Int16] {
        let room = UnsafeMutableBufferPointer<Int16>.allocate(capacity: 5760)
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 1500, alignment: 8)
        defer {
            room.deallocate()
            bytes.deallocate()
        }
        return payloads.flatMap { payload -> [Int16] in
            let count = payload.withUnsafeBytes { decoder.decode($0, into: room) }
            let size = encoder.encode(UnsafeBufferPointer(rebasing: room[..<count]), into: bytes)
            let heard = last.decode(UnsafeRawBufferPointer(rebasing: bytes[..<size]), into: room)
            return Array(room[..<heard])
        }
    }

    private static func narrow(_ samples: [Int16]) -> [Int16] {
        guard let resampler = Resampler(from: 48_000, to: 8000) else { return [] }
        let room = UnsafeMutableBufferPointer<Int16>.allocate(capacity: resampler.maximumOutput(for: samples.count))
        defer { room.deallocate() }
        let count = samples.withUnsafeBufferPointer { resampler.process($0, into: room) }
        return Array(room[..<count])
    }

    private static func write(_ samples: [Int16], _ rate: Int, _ path: String) throws {
        do {
            try WAVFile(rate: rate, samples: samples).write(to: path)
        } catch {
            throw BenchFailure("\(path): \(error)")
        }
    }
}
