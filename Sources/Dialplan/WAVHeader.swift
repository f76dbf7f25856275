/// The header of a WAV file (RIFF), as far as it says whether and how it can be played.
public struct WAVHeader: Sendable, Equatable {
    /// Why a file cannot be played.
    public struct Unplayable: Error, Equatable {
        public let reason: String
    }

    public enum Encoding: Sendable, Equatable {
        /// Linear, 16 bits, little endian.
        case pcm16
        /// G.711 A-law, 8 bits.
        case alaw
        /// G.711 µ-law, 8 bits.
        case mulaw
    }

    public let encoding: Encoding
    /// 1 or 2; two are interleaved sample by sample.
    public let channels: Int
    /// Samples a second of each channel, 8000 to 48000.
    public let sampleRate: Int
    /// Where the sound begins in the file, and how many bytes of it there are.
    public let dataOffset: Int
    public let dataBytes: Int

    /// Reads a header.
    /// - Parameters:
    ///   - bytes: the file from its start, or as much of it as holds the header.
    ///   - size: bytes of the whole file; a data chunk that claims more, or no length, as recorders leave it, ends with the file.
    public init(_ bytes: [UInt8], size: Int) throws(Unplayable) {
        let reader = Reader(bytes: bytes)
        guard reader.tag(at: 0) == "RIFF", reader.tag(at: 8) == "WAVE" else { throw Unplayable(reason: "it is no WAV file") }
        var format: Format?
        var offset = 12
        while let tag = reader.tag(at: offset), let length = reader.uint32(at: offset + 4) {
            let body = offset + 8
            if tag == "fmt " {
                format = try Format(reader, body, length)
            } else if tag == "data" {
                guard let format else { throw Unplayable(reason: "its sound comes before its format") }
                let frame = format.channels * (format.encoding == .pcm16 ? 2 : 1)
                let there = max(0, size - body)
                dataOffset = body
                dataBytes = (length == UInt32.max || Int(length) > there ? there : Int(length)) / frame * frame
                (encoding, channels, sampleRate) = (format.encoding, format.channels, format.sampleRate)
                guard dataBytes > 0 else { throw Unplayable(reason: "it has no sound in it") }
                return
            }
            // Chunks begin at even places.
            offset = body + Int(length) + Int(length & 1)
        }
        throw Unplayable(reason: "its header is not complete")
    }

    private struct Reader {
        let bytes: [UInt8]

        func tag(at offset: Int) -> String? {
            guard offset + 4 <= bytes.count else { return nil }
            return String(decoding: bytes[offset..<(offset + 4)], as: UTF8.self)
        }

        func uint16(at offset: Int) -> UInt16? {
            guard offset + 2 <= bytes.count else { return nil }
            return UInt16(bytes[offset]) | UInt16(bytes[offset + 1]) << 8
        }

        func uint32(at offset: Int) -> UInt32? {
            guard let low = uint16(at: offset), let high = uint16(at: offset + 2) else { return nil }
            return UInt32(low) | UInt32(high) << 16
        }
    }

    private struct Format {
        let encoding: Encoding
        let channels: Int
        let sampleRate: Int

        init(_ reader: Reader, _ offset: Int, _ length: UInt32) throws(Unplayable) {
            guard length >= 16, var code = reader.uint16(at: offset), let channels = reader.uint16(at: offset + 2),
                let rate = reader.uint32(at: offset + 4), let bits = reader.uint16(at: offset + 14)
            else { throw Unplayable(reason: "its header is not complete") }
            // WAVE_FORMAT_EXTENSIBLE: the format is the first two bytes of the subformat's GUID.
            if code == 0xFFFE, length >= 26, let subformat = reader.uint16(at: offset + 24) { code = subformat }
            switch (code, bits) {
            case (1, 16): encoding = .pcm16
            case (6, 8): encoding = .alaw
            case (7, 8): encoding = .mulaw
            default: throw Unplayable(reason: "its format is not PCM of 16 bits or G.711 (format \(code), \(bits) bits)")
            }
            guard (1...2).contains(channels) else { throw Unplayable(reason: "it has \(channels) channels, not one or two") }
            guard (8000...48000).contains(rate) else { throw Unplayable(reason: "its sample rate is \(rate), not 8000 to 48000") }
            self.channels = Int(channels)
            sampleRate = Int(rate)
        }
    }
}
