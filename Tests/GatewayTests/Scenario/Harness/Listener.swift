import NIOCore
import RTP
import Transcode

/// What a far end receives: packets as they came, and the sound in them laid out by their timestamps.
final class Listener {
    struct Packet {
        var payloadType: UInt8
        var sequence: UInt16
        var timestamp: UInt32
        var marker: Bool
        var size: Int
        var at: NIODeadline
        var payload: [UInt8]
        var source: UInt32
    }

    let rate: Int
    private(set) var packets: [Packet] = []
    /// The decoded sound of `audioType`, one packet after the other in order of arrival.
    private(set) var sound: [Int16] = []
    /// When the sample at which the packet began came: index into `sound` and time of arrival.
    private(set) var arrivals: [(place: Int, at: NIODeadline)] = []
    private let audioType: UInt8
    private let decoder: any AudioDecoder
    /// Off for long runs in which only the headers matter.
    var decodes = true

    init?(codec: String, rate: Int, audioType: UInt8) {
        guard let decoder = CodecCatalogue.makeDecoder(name: codec, rate: rate) else { return nil }
        self.decoder = decoder
        self.rate = rate
        self.audioType = audioType
    }

    var audioPackets: [Packet] { packets.filter { $0.payloadType == audioType } }

    func receive(_ bytes: [UInt8], now: NIODeadline) {
        bytes.withUnsafeBytes { raw in
            guard let view = RTPPacketView(raw) else { return }
            packets.append(
                Packet(
                    payloadType: view.payloadType, sequence: view.sequenceNumber, timestamp: view.timestamp, marker: view.marker,
                    size: bytes.count, at: now,
                    payload: decodes ? Array(view.payload) : [], source: view.ssrc))
            guard view.payloadType == audioType, decodes else { return }
            arrivals.append((sound.count, now))
            sound += [Int16](unsafeUninitializedCapacity: 5760) { samples, count in count = decoder.decode(view.payload, into: samples) }
        }
    }

    func forget() {
        packets = []
        sound = []
        arrivals = []
    }

    /// When the first packet came that holds a sample louder than `threshold`, at or after `start`.
    func firstSound(after start: NIODeadline = .uptimeNanoseconds(0), threshold: Int16 = 200) -> NIODeadline? {
        for (index, arrival) in arrivals.enumerated() where arrival.at >= start {
            let end = index + 1 < arrivals.count ? arrivals[index + 1].place : sound.count
            if sound[arrival.place..<end].contains(where: { abs(Int($0)) > Int(threshold) }) { return arrival.at }
        }
        return nil
    }

    /// The samples that came at or after `start`.
    func sound(after start: NIODeadline, for amount: TimeAmount? = nil) -> [Int16] {
        guard let first = arrivals.first(where: { $0.at >= start }) else { return [] }
        guard let amount, let last = arrivals.first(where: { $0.at >= start + amount }) else { return Array(sound[first.place...]) }
        return Array(sound[first.place..<last.place])
    }
}
