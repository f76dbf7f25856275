import NIOCore
import SDP
import TestKit
import Testing
import Transcode

@testable import Gateway

/// An agent's speech that is cleared while Opus carries it: how soon the far end is silent.
@Suite struct CutSpeechTests {
    private static let rate = 16_000
    private static let slot = rate / 50

    private static let tone = SoundMaterial.tone(hertz: 440, seconds: 1, rate: rate, level: -15)

    /// Sound through the queue and an encoder, cleared after `slots` of it; what is heard, at 48 kHz.
    private static func heard(_ spoken: [Int16] = tone, clearedAfter slots: Int, packetTime: Int = 20, isTold: Bool = true) throws -> [Int16] {
        let audio = NegotiatedAudio(codec: .opus, payloadType: 111, receivePayloadTypes: [111: .opus], packetTime: packetTime)
        let stream = try #require(
            OutboundStream(audio: audio, rate: rate, opus: OpusEncoder.Settings(), after: nil, now: VirtualGateway.start))
        let decoder = try #require(OpusDecoder(rate: 48_000))
        var queue = PlayoutQueue(rate: rate, holds: false)
        queue.append(spoken.count, now: VirtualGateway.start) { samples in for index in samples.indices { samples[index] = spoken[index] } }
        var sound: [Int16] = []
        var samples = [Int16](repeating: 0, count: slot)
        for index in 0..<slots + 10 {
            let now = VirtualGateway.start + .milliseconds(Int64(index) * 20)
            if index == slots { _ = queue.clear() }
            samples.withUnsafeMutableBufferPointer { samples in
                let played = queue.next(into: samples, now: now)
                #expect(played.isCut == (index == slots))
                let frame = AudioFrame(
                    samples: samples, mediaTime: Int64(index * slot), origin: .received, startsAxis: false, isCut: isTold && played.isCut)
                stream.send(frame, now: now) { packet in
                    sound += [Int16](unsafeUninitializedCapacity: 5760) { $1 = decoder.decode(packet.payload, into: $0) }
                }
            }
        }
        return sound
    }

    /// Milliseconds from the packet after `slots` slots to the last sample that is louder than a twentieth of the tone.
    private static func lastLoud(_ sound: [Int16], after slots: Int) throws -> Double {
        let cut = slots * 960
        let peak = try #require(sound[cut - 960..<cut].map { abs(Int($0)) }.max())
        let last = try #require(sound.lastIndex { abs(Int($0)) > peak / 20 })
        return Double(last - cut) / 48
    }

    private static func steepest(_ sound: ArraySlice<Int16>) -> Int {
        zip(sound, sound.dropFirst()).map { abs(Int($0) - Int($1)) }.max() ?? 0
    }

    @Test func nothingThatOpusHeldBackIsHeardAfterClear() throws {
        for slots in [20, 23, 26] {
            let sound = try Self.heard(clearedAfter: slots)
            #expect(try Self.lastLoud(sound, after: slots) < 2.5)
            #expect(try Self.lastLoud(Self.heard(clearedAfter: slots, isTold: false), after: slots) > 6)
        }
    }

    /// No step from one sample to the next is larger than those of the speech itself.
    @Test func theCutDoesNotClick() throws {
        let speech = SoundMaterial.speech(seconds: 2, rate: Self.rate, seed: 4)
        for slots in stride(from: 20, to: 90, by: 7) {
            let sound = try Self.heard(speech, clearedAfter: slots)
            let cut = slots * 960
            let before = Self.steepest(sound[(cut - 9600)..<cut])
            #expect(Self.steepest(sound[(cut - 10)...]) <= before, "after \(slots) slots")
        }
    }

    /// Of a packet of 40 ms half stands already: what was said before `clear` is sent as it was, and fades.
    @Test func aPacketThatHasBegunIsKept() throws {
        let sound = try Self.heard(clearedAfter: 21, packetTime: 40)
        #expect(try Self.lastLoud(sound, after: 20) > 20)
        #expect(try Self.lastLoud(sound, after: 20) < 30)
        #expect(try Self.lastLoud(Self.heard(clearedAfter: 22, packetTime: 40), after: 22) < 2.5)
    }
}
