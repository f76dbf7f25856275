import NIOCore
import SDP
import TestKit
import Testing
import Transcode

@testable import Gateway

/// Opus toward a peer that wants pauses (`usedtx`): what is left out of it, and what never is.
@Suite struct SendingPausesTests {
    private struct Sent {
        var payload: [UInt8]
        var timestamp: Int64
        var marker: Bool
        /// Milliseconds of virtual time.
        var at: Int64
    }

    /// A stream that is sent 20 ms at a time.
    private final class Line {
        let stream: OutboundStream
        let rate: Int
        let packetTime: Int
        private(set) var sent: [Sent] = []
        private(set) var now = VirtualGateway.start
        private var mediaTime: Int64 = 0

        init(_ rate: Int, packetTime: Int = 20, usesDTX: Bool = true, codec: AudioCodec = .opus, complexity: Int = 5) throws {
            self.rate = rate
            self.packetTime = packetTime
            let audio = SendingPausesTests.audio(codec, packetTime: packetTime, usesDTX: usesDTX)
            let opus = OpusEncoder.Settings(bitrate: 24_000, complexity: complexity)
            stream = try #require(OutboundStream(audio: audio, rate: rate, opus: opus, after: nil, now: VirtualGateway.start))
        }

        func note(_ packet: OutboundStream.Packet) {
            let at = (now - VirtualGateway.start).nanoseconds / 1_000_000
            sent.append(Sent(payload: Array(packet.payload), timestamp: packet.timestamp, marker: packet.marker, at: at))
        }

        func say(_ samples: [Int16], packet: [UInt8]? = nil) {
            for start in stride(from: 0, to: samples.count, by: rate / 50) {
                var frame = Array(samples[start..<min(start + rate / 50, samples.count)])
                frame.withUnsafeMutableBufferPointer { frame in
                    (packet ?? []).withUnsafeBytes { payload in
                        let piece = AudioFrame(
                            samples: frame, mediaTime: mediaTime, origin: .received, startsAxis: false, payload: packet == nil ? nil : payload,
                            codec: packet == nil ? nil : .opus, form: packet == nil ? .sound : .packet)
                        stream.send(piece, now: now) { note($0) }
                    }
                }
                mediaTime += Int64(rate / 50)
                now = now + .milliseconds(20)
            }
        }

        func tone(_ seconds: Double, hertz: Double = 440, level: Double = -15) {
            say(SoundMaterial.tone(hertz: hertz, seconds: seconds, rate: rate, level: level))
        }

        func silence(_ seconds: Double) { say(SoundMaterial.silence(seconds: seconds, rate: rate)) }

        /// The packets that begin within these milliseconds.
        func packets(from start: Int64, to end: Int64) -> [Sent] { sent.filter { (start..<end).contains($0.at) } }

        /// What a peer hears, which takes no missing number for a loss: its decoder fills what was left out.
        func heard() throws -> [Int16] {
            let decoder = try #require(OpusDecoder(rate: rate))
            var sound: [Int16] = []
            func append(_ body: (UnsafeMutableBufferPointer<Int16>) -> Int) {
                sound += [Int16](unsafeUninitializedCapacity: 5760) { samples, count in count = body(samples) }
            }
            for packet in sent {
                let place = Int(packet.timestamp) * rate / 48_000
                while sound.count < place {
                    let missing = min(rate / 1000 * packetTime, place - sound.count)
                    append { decoder.conceal(samples: missing, into: $0) }
                }
                #expect(sound.count == place)
                append { samples in packet.payload.withUnsafeBytes { decoder.decode($0, into: samples) } }
            }
            return sound
        }
    }

    private static func audio(_ codec: AudioCodec = .opus, packetTime: Int = 20, usesDTX: Bool) -> NegotiatedAudio {
        NegotiatedAudio(
            codec: codec, payloadType: 111, receivePayloadTypes: [111: codec], packetTime: packetTime,
            opus: OpusParameters(useDTX: usesDTX))
    }

    @Test(arguments: [8000, 16_000, 24_000, 48_000], [10, 20, 40, 60]) func silenceIsLeftOutAndSoundIsWhole(_ rate: Int, _ packetTime: Int) throws {
        let line = try Line(rate, packetTime: packetTime)
        line.tone(1.2)
        line.silence(2.4)
        line.tone(1.2)
        let step = Int64(packetTime) * 48
        #expect(line.sent.allSatisfy { $0.timestamp % step == 0 })
        // Where no packet of sound stood still: in real time.
        #expect(line.sent.allSatisfy { abs($0.timestamp / 48 - $0.at) <= Int64(packetTime) })
        // The silence goes on for as long as the encoder and what it holds need, and for one packet.
        let spoken = line.packets(from: 0, to: 1400)
        #expect(spoken.count >= 1400 / packetTime && zip(spoken, spoken.dropFirst()).allSatisfy { $1.timestamp - $0.timestamp == step })
        let pause = line.packets(from: 1400 + Int64(packetTime) * 2, to: 3600)
        #expect(pause.count * packetTime < 660 && pause.count > 5, "\(pause.count)")
        // And what comes after it is all there.
        #expect(line.packets(from: 3600, to: 4800).count == 1200 / packetTime)
        for (earlier, later) in zip(line.sent, line.sent.dropFirst()) {
            #expect(later.marker == (later.timestamp - earlier.timestamp > step))
            #expect(later.timestamp - earlier.timestamp <= 460 * 48)
            // A pause is said before it.
            #expect(!later.marker || earlier.payload.count <= 2)
        }
        let heard = try line.heard()
        let report = ToneMeter.analyse(heard, rate: rate, expectedHz: 440)
        #expect(abs(report.frequency - 440) < 0.6 && report.snr > 15, "\(report)")
        #expect(report.gaps.count == 1 && abs((report.gaps.first?.length ?? 0) - 2400) < 12, "\(report.gaps)")
        // Nothing but noise nobody hears in the pause, once the encoder's look-ahead and the fade of what was said are over.
        #expect(heard[rate * 125 / 100..<rate * 36 / 10].allSatisfy { abs(Int($0)) < 130 })
        #expect(heard[rate * 22 / 10..<rate * 36 / 10].allSatisfy { abs(Int($0)) < 24 })
        // A steady tone sways for a quarter of a second after a pause, as an Opus decoder makes it, and nothing in it is a click.
        let amplitude = 32_768 * 2.0.squareRoot() * 0.178
        let steepest = amplitude * 2 * Double.pi * 440 / Double(rate)
        let again = heard[(rate * 36 / 10)...].map(Double.init)
        let loudest = again.map { abs($0) }.max() ?? 0
        #expect(loudest < 1.8 * amplitude, "\(loudest / amplitude)")
        #expect(zip(again, again.dropFirst()).allSatisfy { abs($1 - $0) < 1.6 * steepest + 300 })
        let level = heard[(rate * 42 / 10)...].withUnsafeBufferPointer { Level.dBFS($0) }
        #expect(abs(level - -15) < 0.5)
    }

    /// Sound that is there at once, in the middle of a wave, is no louder for the pause before it.
    @Test(arguments: [8000, 16_000, 48_000]) func soundAfterAPauseIsAsLoudAsItIs(_ rate: Int) throws {
        let speech = SoundMaterial.speech(seconds: 6, rate: rate, seed: 11)
        for start in stride(from: 0, to: speech.count - rate / 2, by: rate * 2 / 5) {
            let (line, plain) = (try Line(rate), try Line(rate, usesDTX: false))
            for line in [line, plain] {
                line.tone(0.3)
                line.silence(1)
                line.say(Array(speech[start..<start + rate / 5]))
            }
            let place = rate * 13 / 10
            let (after, usual) = (try line.heard()[place...], try plain.heard()[place...])
            let peak = max(usual.map { abs(Int($0)) }.max() ?? 0, 400)
            #expect(after.allSatisfy { abs(Int($0)) < peak * 8 / 5 }, "\(start): \(after.max() ?? 0), \(peak)")
        }
    }

    /// What the encoder would predict it from, the speech before the pause, makes it nearly twice as loud.
    @Test func aToneAfterAPauseIsAsLoudAsItIs() throws {
        let (line, plain) = (try Line(8000), try Line(8000, usesDTX: false))
        for line in [line, plain] {
            line.say(SoundMaterial.speech(seconds: 0.4, rate: 8000, seed: 3))
            line.silence(1)
            line.tone(0.2, hertz: 1000, level: -12)
        }
        let peaks = try [line, plain].map { try $0.heard()[11_200...].map { abs(Int($0)) }.max() ?? 0 }
        #expect(peaks[1] > 8000 && peaks[0] < peaks[1] * 8 / 5, "\(peaks)")
    }

    @Test(arguments: [8000, 16_000, 48_000]) func nothingIsLeftOutUnasked(_ rate: Int) throws {
        let line = try Line(rate, usesDTX: false)
        line.tone(0.5)
        line.silence(2)
        line.tone(0.5)
        #expect(line.sent.map(\.timestamp) == (0..<150).map { $0 * 960 })
        #expect(line.sent.map(\.marker) == [true] + [Bool](repeating: false, count: 149))
        // As the encoder makes it by itself.
        let encoder = try #require(OpusEncoder(rate: rate, bitrate: 24_000, complexity: 5))
        let said = SoundMaterial.tone(hertz: 440, seconds: 0.5, rate: rate) + SoundMaterial.silence(seconds: 2, rate: rate)
            + SoundMaterial.tone(hertz: 440, seconds: 0.5, rate: rate)
        let payloads = stride(from: 0, to: said.count, by: rate / 50).map { start in
            [UInt8](unsafeUninitializedCapacity: OpusEncoder.maximumPayload) { bytes, count in
                count = said[start..<start + rate / 50].withUnsafeBufferPointer { encoder.encode($0, into: UnsafeMutableRawBufferPointer(bytes)) }
            }
        }
        #expect(line.sent.map(\.payload) == payloads && payloads.allSatisfy { $0.count > 2 })
    }

    /// Left to itself libopus takes these for background noise after a second.
    @Test(arguments: [8000, 16_000, 48_000], [1, 5, 9]) func aSteadySoundIsNoSilence(_ rate: Int, _ complexity: Int) throws {
        let line = try Line(rate, complexity: complexity)
        line.tone(4)
        line.tone(4, hertz: 1000, level: -40)
        let chord = [262.0, 330, 392].map { SoundMaterial.tone(hertz: $0, seconds: 4, rate: rate, level: -25) }
        line.say(chord[0].indices.map { chord[0][$0] + chord[1][$0] + chord[2][$0] })
        #expect(line.sent.map(\.timestamp) == (0..<600).map { $0 * 960 })
    }

    @Test(arguments: [8000, 16_000]) func aQuietLineIsSilenceAndSpeechIsNot(_ rate: Int) throws {
        let line = try Line(rate, complexity: 1)
        line.say(SoundMaterial.noise(seconds: 4, rate: rate, level: -62, seed: 3))
        #expect(line.sent.count < 90, "\(line.sent.count)")
        let before = line.sent.count
        // Its pauses are shorter than what is waited for, or nearly; every frame that is heard is there.
        let speech = SoundMaterial.speech(seconds: 6, rate: rate, seed: 5)
        line.say(speech)
        let places = Set(line.sent.dropFirst(before).map(\.timestamp))
        for (index, start) in stride(from: 0, to: speech.count, by: rate / 50).enumerated() {
            let level = speech[start..<start + rate / 50].withUnsafeBufferPointer { Level.dBFS($0) }
            #expect(level < -50 || places.contains(Int64(200 + index) * 960), "\(index)")
        }
    }

    @Test func aNewDescriptionChangesIt() throws {
        let line = try Line(16_000, usesDTX: false)
        line.silence(1)
        #expect(line.sent.count == 50)
        line.stream.change(OpusEncoder.Settings(bitrate: 24_000).fitted(to: Self.audio(usesDTX: true)))
        line.silence(1.2)
        #expect((60...80).contains(line.sent.count))
        let before = line.sent.count
        line.stream.change(OpusEncoder.Settings(bitrate: 24_000).fitted(to: Self.audio(usesDTX: false)))
        line.silence(1)
        #expect(line.sent.count == before + 50)
    }

    @Test func silenceOfOurOwnPausesToo() throws {
        let line = try Line(8000)
        line.tone(0.5)
        line.silence(1)
        var sent: [(timestamp: Int64, marker: Bool)] = []
        var now = line.now
        for _ in 0..<100 {
            line.stream.keepAlive(now: now) { sent.append(($0.timestamp, $0.marker)) }
            now = now + .milliseconds(20)
        }
        #expect((5...12).contains(sent.count), "\(sent)")
        // What is played in place of silence is heard at once.
        let before = sent.count
        let place = line.stream.timestamp(at: now)
        let tone = SoundMaterial.tone(hertz: 700, seconds: 0.02, rate: 8000)
        for _ in 0..<10 {
            line.stream.sound(now: now, generate: { _ = $0.update(from: tone) }, emit: { sent.append(($0.timestamp, $0.marker)) })
            now = now + .milliseconds(20)
        }
        let played = sent.dropFirst(before)
        #expect(played.count >= 10 && played.map(\.marker) == [true] + [Bool](repeating: false, count: played.count - 1))
        #expect(abs((played.first?.timestamp ?? 0) - place) <= 100 * 48, "\(played.first?.timestamp ?? 0), \(place)")
    }

    @Test func packetsThatArePassedOnAreAllSent() throws {
        let line = try Line(48_000)
        line.tone(0.4)
        line.silence(1)
        let before = line.sent.count
        line.say(SoundMaterial.silence(seconds: 0.4, rate: 48_000), packet: [0xF8])
        let passed = line.sent.dropFirst(before)
        #expect(passed.map(\.payload) == [[UInt8]](repeating: [0xF8], count: 20))
        #expect(passed.map(\.marker) == [true] + [Bool](repeating: false, count: 19))
    }

    @Test func otherCodecsHaveNoPauses() throws {
        let line = try Line(8000, codec: .pcmu)
        line.silence(2)
        #expect(line.sent.count == 100)
    }
}
