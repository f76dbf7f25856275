import NIOCore
import TestKit
import Testing

@testable import RTP

/// What a session said, with copies of what its events refer to.
enum Heard: Equatable {
    case frame(sequence: Int64, timestamp: Int64, new: Bool)
    case lost(count: Int, timestamp: Int64, step: Int64, next: [UInt8]?)
    case gap(StreamGap)
    case digit(TelephoneEventReceived)
    case comfortNoise(UInt8)
    case goodbye
    case resend(UInt16)
}

/// A session under test with a clock of its own, and everything it said.
final class Listener {
    static let phone = TransportAddress(ipv4: 0xC000_0201, port: 4_000)

    var session: RTPSession
    var now: NIODeadline
    private(set) var heard: [Heard] = []
    private(set) var payloads: [[UInt8]] = []
    private(set) var arrivals: [NIODeadline] = []
    private var events: [RTPEvent] = []
    private var packet = [UInt8](repeating: 0, count: 2_048)

    init(formats: RTPFormats = .telephone, now: NIODeadline = .uptimeNanoseconds(1_000_000_000_000)) {
        var generator = SeededGenerator(seed: 1)
        var configuration = RTPSession.Configuration(formats: formats, cname: "test", using: &generator)
        configuration.localSSRC = 0xAAAA_0001
        configuration.initialSequence = 0x7FF0
        configuration.initialTimestamp = 0xFFFF_FF00
        configuration.reportSeed = 1
        session = RTPSession(configuration: configuration, now: now)
        self.now = now
        events.reserveCapacity(64)
    }

    // The test macros cannot look into a value that is not copyable.
    var statistics: RTPStatistics { session.statistics }
    var deadline: NIODeadline? { session.deadline }
    var reportDeadline: NIODeadline { session.reportDeadline }
    var digitDeadline: NIODeadline? { session.digitDeadline }
    var isSendingDigit: Bool { session.isSendingDigit }
    var remoteSSRC: UInt32? { session.remoteSSRC }

    func startDigit(_ event: UInt8, duration: TimeAmount, timestamp: Int64) -> Bool {
        session.startDigit(event, duration: duration, timestamp: timestamp, now: now)
    }

    func receive(_ packet: RTPPacket, from source: TransportAddress = Listener.phone) {
        receive(packet.bytes, from: source)
    }

    func receive(_ bytes: [UInt8], from source: TransportAddress = Listener.phone) {
        events.removeAll(keepingCapacity: true)
        bytes.withUnsafeBytes { session.receive($0, from: source, now: now, into: &events) }
        record()
    }

    func receiveControl(_ bytes: [UInt8]) {
        events.removeAll(keepingCapacity: true)
        let number = session.transportReport?.number
        bytes.withUnsafeBytes { session.receiveControl($0, now: now, into: &events) }
        if let report = session.transportReport, report.number != number { transportDelays.append(report.delayMilliseconds) }
        record()
    }

    func expire() {
        events.removeAll(keepingCapacity: true)
        session.expire(now: now, into: &events)
        record()
    }

    /// Moves the clock, expiring exactly when the session asked for it.
    func advance(milliseconds: Double) {
        let end = now + .nanoseconds(Int64(milliseconds * 1e6))
        while let deadline = session.deadline, deadline <= end {
            now = max(now, deadline)
            expire()
        }
        now = end
    }

    func take() -> [Heard] {
        defer { heard = [] }
        return heard
    }

    /// A packet of our own.
    func write(_ payload: [UInt8] = [1, 2, 3], timestamp: Int64, marker: Bool = false) -> [UInt8] {
        packet.withUnsafeMutableBytes { buffer in
            payload.withUnsafeBytes {
                let length = session.writePacket(
                    payload: $0, timestamp: timestamp, marker: marker, now: now, into: buffer)
                return Array(buffer[..<length])
            }
        }
    }

    func writeDigit() -> [UInt8]? {
        packet.withUnsafeMutableBytes { buffer in
            session.writeDigitPacket(now: now, into: buffer).map { Array(buffer[..<$0]) }
        }
    }

    func writeControl(wallClock: NTPTimestamp = NTPTimestamp(seconds: 0x1234_5678, fraction: 0x9ABC_DEF0)) -> [UInt8]? {
        packet.withUnsafeMutableBytes { buffer in
            session.writeControl(now: now, wallClock: wallClock, into: buffer).map { Array(buffer[..<$0]) }
        }
    }

    func writeGoodbye() -> [UInt8]? {
        packet.withUnsafeMutableBytes { buffer in
            let wallClock = NTPTimestamp(seconds: 1, fraction: 0)
            return session.writeGoodbye(now: now, wallClock: wallClock, into: buffer).map { Array(buffer[..<$0]) }
        }
    }

    func writeFeedback() -> [UInt8]? {
        packet.withUnsafeMutableBytes { buffer in session.writeFeedback(now: now, into: buffer).map { Array(buffer[..<$0]) } }
    }

    var transportReport: TransportReport? { session.transportReport }
    /// The delay of every report that came.
    private(set) var transportDelays: [Double] = []

    func setAsksAgain(_ asks: Bool) { session.setAsksAgain(asks) }

    private func record() {
        for event in events {
            switch event {
            case .frame(let frame):
                payloads.append(Array(frame.payload))
                arrivals.append(frame.arrival)
                heard.append(
                    .frame(
                        sequence: frame.extendedSequence, timestamp: frame.extendedTimestamp,
                        new: frame.afterNewSource))
            case .lost(let lost):
                heard.append(
                    .lost(
                        count: lost.count, timestamp: lost.extendedTimestamp, step: lost.timestampStep,
                        next: lost.next.map { Array($0) }))
            case .gap(let gap): heard.append(.gap(gap))
            case .digit(let digit): heard.append(.digit(digit))
            case .comfortNoise(let level): heard.append(.comfortNoise(level))
            case .goodbye: heard.append(.goodbye)
            case .resend(let sequence): heard.append(.resend(sequence))
            }
        }
    }
}

extension RTPFormats {
    /// G.711 with telephone-event at 8 kHz.
    static let telephone = RTPFormats(
        receiveAudio: [
            RTPFormat(payloadType: 0, clockRate: 8_000), RTPFormat(payloadType: 8, clockRate: 8_000),
        ],
        receiveTelephoneEvents: [RTPFormat(payloadType: 101, clockRate: 8_000)],
        sendAudio: RTPFormat(payloadType: 0, clockRate: 8_000),
        sendTelephoneEvent: RTPFormat(payloadType: 101, clockRate: 8_000))

    /// Opus with telephone-event at 48 kHz.
    static let browser = RTPFormats(
        receiveAudio: [RTPFormat(payloadType: 111, clockRate: 48_000)],
        receiveTelephoneEvents: [RTPFormat(payloadType: 110, clockRate: 48_000)],
        sendAudio: RTPFormat(payloadType: 111, clockRate: 48_000),
        sendTelephoneEvent: RTPFormat(payloadType: 110, clockRate: 48_000))
}

/// An RTP packet as a test writes it down.
struct RTPPacket {
    var payloadType: UInt8 = 0
    var sequence: UInt16
    var timestamp: UInt32
    var ssrc: UInt32 = 0xBBBB_0001
    var marker = false
    var payload: [UInt8] = [0x55]

    /// Packet number `index` of an orderly stream: 20 ms each from sequence and timestamp 1000; its payload says which.
    static func voice(_ index: Int, ssrc: UInt32 = 0xBBBB_0001, step: Int = 160) -> RTPPacket {
        RTPPacket(
            sequence: UInt16(truncatingIfNeeded: 1_000 + index),
            timestamp: UInt32(truncatingIfNeeded: 1_000 + index * step), ssrc: ssrc,
            payload: [UInt8(truncatingIfNeeded: index >> 8), UInt8(truncatingIfNeeded: index)])
    }

    static func digit(
        _ event: UInt8, sequence: Int, timestamp: UInt32, duration: UInt16, end: Bool = false
    ) -> RTPPacket {
        RTPPacket(
            payloadType: 101, sequence: UInt16(truncatingIfNeeded: sequence), timestamp: timestamp,
            payload: [event, end ? 0x8A : 0x0A, UInt8(duration >> 8), UInt8(duration & 0xFF)])
    }

    var bytes: [UInt8] {
        var bytes: [UInt8] = [0x80, (marker ? 0x80 : 0) | payloadType]
        bytes += withUnsafeBytes(of: sequence.bigEndian) { Array($0) }
        bytes += withUnsafeBytes(of: timestamp.bigEndian) { Array($0) }
        bytes += withUnsafeBytes(of: ssrc.bigEndian) { Array($0) }
        return bytes + payload
    }
}

extension Heard {
    /// The frame of `RTPPacket.voice(index)`.
    static func voice(_ index: Int, new: Bool = false) -> Heard {
        .frame(sequence: Int64(1_000 + index), timestamp: Int64(1_000 + index * 160), new: new)
    }
}
