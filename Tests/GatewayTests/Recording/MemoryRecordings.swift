import COgg
import COpus
import Foundation
import NIOConcurrencyHelpers

@testable import Gateway

/// Recordings in memory, and disks that refuse.
final class MemoryRecordings: Sendable {
    struct File: Sendable {
        var bytes: [UInt8] = []
        var isFinished = false
    }

    private struct State {
        var files: [String: File] = [:]
        /// Bytes that find room in a file.
        var room = Int.max
        var opens = true
    }

    private let state = NIOLockedValueBox(State())

    /// By their paths below the folder.
    var files: [String: File] { state.withLockedValue { $0.files } }
    /// The only recording.
    var only: File? { files.count == 1 ? files.values.first : nil }

    /// From here on the disk takes no file beyond so many bytes.
    func limit(to room: Int) { state.withLockedValue { $0.room = room } }

    func refuseToOpen() { state.withLockedValue { $0.opens = false } }

    static let folder = "/recordings"

    func recorder(_ change: (inout Configuration.Recordings) -> Void = { _ in }, announcement: Recording? = nil) -> Recorder {
        var settings = Configuration.Recordings()
        settings.folder = Self.folder
        change(&settings)
        return Recorder(settings, announcement: announcement, logger: RecordFixture.logger) { [self] path in
            guard state.withLockedValue({ $0.opens }) else { throw RecordingFailure(description: "Permission denied") }
            return Output(self, String(path.dropFirst(Self.folder.count + 1)))
        }
    }

    func output(_ name: String) -> any RecordingOutput { Output(self, name) }

    private final class Output: RecordingOutput {
        private let owner: MemoryRecordings
        private let name: String

        init(_ owner: MemoryRecordings, _ name: String) {
            self.owner = owner
            self.name = name
            owner.state.withLockedValue { $0.files[name] = File() }
        }

        func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(RecordingFailure) {
            try extend(to: max(Int64(count), offset + Int64(bytes.count)))
            owner.state.withLockedValue { $0.files[name]?.bytes.replaceSubrange(Int(offset)..<Int(offset) + bytes.count, with: bytes) }
        }

        func extend(to length: Int64) throws(RecordingFailure) {
            let fits = owner.state.withLockedValue { state in
                guard Int(length) <= state.room else { return false }
                let missing = Int(length) - (state.files[name]?.bytes.count ?? 0)
                state.files[name]?.bytes += [UInt8](repeating: 0, count: max(0, missing))
                return true
            }
            if !fits { throw RecordingFailure(description: "No space left on device") }
        }

        func finish() throws(RecordingFailure) { owner.state.withLockedValue { $0.files[name]?.isFinished = true } }

        private var count: Int { owner.state.withLockedValue { $0.files[name]?.bytes.count ?? 0 } }
    }
}

/// What a recording's file holds.
struct StereoSound {
    var rate = 0
    var left: [Int16] = []
    var right: [Int16] = []

    /// As players read it: by the sizes its header says.
    init?(wave bytes: [UInt8]) {
        func number(_ place: Int, _ size: Int) -> Int { (0..<size).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) } }
        guard bytes.count >= 44, bytes[0..<4].elementsEqual("RIFF".utf8), bytes[8..<16].elementsEqual("WAVEfmt ".utf8),
            bytes[36..<40].elementsEqual("data".utf8), number(20, 2) == 1, number(22, 2) == 2, number(34, 2) == 16,
            number(28, 4) == 4 * number(24, 4), number(4, 4) == number(40, 4) + 36, 44 + number(40, 4) <= bytes.count
        else { return nil }
        rate = number(24, 4)
        for frame in 0..<number(40, 4) / 4 {
            left.append(Int16(truncatingIfNeeded: number(44 + 4 * frame, 2)))
            right.append(Int16(truncatingIfNeeded: number(46 + 4 * frame, 2)))
        }
    }

    /// Ogg/Opus, read by libogg and libopus; to 48 kHz.
    init?(opus bytes: [UInt8]) {
        rate = 48_000
        let packets = Self.packets(bytes)
        guard packets.count >= 2, packets[0].bytes.count == 23, packets[0].bytes[0..<8].elementsEqual("OpusHead".utf8),
            packets[0].bytes[8] == 1, packets[0].bytes[9] == 2, packets[0].bytes[18...].elementsEqual([1, 2, 0, 0, 1]),
            packets[1].bytes[0..<8].elementsEqual("OpusTags".utf8)
        else { return nil }
        var error: Int32 = 0
        let mapping: [UInt8] = [0, 1]
        guard let decoder = opus_multistream_decoder_create(48_000, 2, 2, 0, mapping, &error) else { return nil }
        defer { opus_multistream_decoder_destroy(decoder) }
        let skip = Int(packets[0].bytes[10]) | Int(packets[0].bytes[11]) << 8
        var samples = [Int16](repeating: 0, count: 2 * 5760)
        for packet in packets.dropFirst(2) {
            let count = opus_multistream_decode(decoder, packet.bytes, opus_int32(packet.bytes.count), &samples, 5760, 0)
            guard count > 0 else { return nil }
            for frame in 0..<Int(count) {
                left.append(samples[2 * frame])
                right.append(samples[2 * frame + 1])
            }
        }
        // The last page says where the sound ends.
        let end = packets.last.map { $0.granule > 0 ? Int($0.granule) : left.count } ?? 0
        guard skip <= end, end <= left.count else { return nil }
        left = Array(left[skip..<end])
        right = Array(right[skip..<end])
    }

    private static func packets(_ bytes: [UInt8]) -> [(bytes: [UInt8], granule: Int64)] {
        var sync = ogg_sync_state()
        var stream = ogg_stream_state()
        var page = ogg_page()
        var packet = ogg_packet()
        ogg_sync_init(&sync)
        defer { ogg_sync_clear(&sync) }
        guard let buffer = ogg_sync_buffer(&sync, bytes.count) else { return [] }
        bytes.withUnsafeBytes { UnsafeMutableRawPointer(buffer).copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(buffer), byteCount: bytes.count) }
        ogg_sync_wrote(&sync, bytes.count)
        var found: [(bytes: [UInt8], granule: Int64)] = []
        var isFirst = true
        while ogg_sync_pageout(&sync, &page) == 1 {
            if isFirst { ogg_stream_init(&stream, ogg_page_serialno(&page)) }
            isFirst = false
            ogg_stream_pagein(&stream, &page)
            while ogg_stream_packetout(&stream, &packet) == 1 {
                found.append((Array(UnsafeBufferPointer(start: packet.packet, count: packet.bytes)), Int64(packet.granulepos)))
            }
        }
        if !isFirst { ogg_stream_clear(&stream) }
        return found
    }

    /// Milliseconds at which a side is first louder than silence.
    func firstSound(_ side: [Int16], after milliseconds: Int = 0) -> Double? {
        let start = milliseconds * rate / 1000
        return side.dropFirst(start).firstIndex { abs(Int($0)) > 200 }.map { Double($0) * 1000 / Double(rate) }
    }

    /// A stretch of a side, in milliseconds.
    func part(_ side: [Int16], _ range: Range<Int>) -> [Int16] {
        Array(side[min(side.count, range.lowerBound * rate / 1000)..<min(side.count, range.upperBound * rate / 1000)])
    }

    var milliseconds: Double { Double(left.count) * 1000 / Double(rate) }
}
