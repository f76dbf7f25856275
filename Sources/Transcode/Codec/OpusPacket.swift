import COpus

/// What can be read from an Opus payload without decoding it (RFC 6716, sections 3.1 and 4.2.3).
public enum OpusPacket {
    /// Bytes of a payload that says no more than that silence follows, at most (DTX, RFC 6716 section 2.1.9).
    public static let largestDTXPayload = 2

    /// The coding mode a table-of-contents byte names.
    enum Mode {
        case silk, hybrid, celt
    }

    /// Which part of the codec made `payload`; nil when it is empty.
    static func mode(of payload: UnsafeRawBufferPointer) -> Mode? {
        guard let first = payload.first else { return nil }
        switch first >> 3 {
        case 0..<12: return .silk
        case 12..<16: return .hybrid
        default: return .celt
        }
    }

    /// The samples `payload` decodes to at `rate`, or nil when the packet is malformed or longer than 120 ms.
    public static func duration(of payload: UnsafeRawBufferPointer, rate: Int) -> Int? {
        guard let bytes = payload.baseAddress?.assumingMemoryBound(to: UInt8.self), !payload.isEmpty else { return nil }
        let samples = opus_packet_get_nb_samples(bytes, opus_int32(clamping: payload.count), opus_int32(clamping: rate))
        return samples > 0 ? Int(samples) : nil
    }

    /// The length at `rate` of one of the frames in `payload`; nil when it is empty.
    static func frameDuration(of payload: UnsafeRawBufferPointer, rate: Int) -> Int? {
        guard let bytes = payload.baseAddress?.assumingMemoryBound(to: UInt8.self), !payload.isEmpty else { return nil }
        return Int(opus_packet_get_samples_per_frame(bytes, opus_int32(clamping: rate)))
    }

    /// Whether `payload` carries a redundant copy (LBRR) of the frame before it that a mono decoder can use.
    ///
    /// libopus conceals silently where it does not, so that a count of recovered packets needs this. The flags are the
    /// first symbols of the first SILK frame, each with probability one half, hence plain bits from the top of its
    /// first byte: one voice flag for every 20 ms, then the LBRR flag (RFC 6716 4.2.3). In stereo the same follows for
    /// the side channel, of which a mono decoder makes no use.
    public static func carriesRedundancy(_ payload: UnsafeRawBufferPointer) -> Bool {
        guard let bytes = payload.baseAddress?.assumingMemoryBound(to: UInt8.self), let mode = mode(of: payload), mode != .celt
        else { return false }
        guard let header = firstByteOfFirstFrame(bytes, payload.count) else { return false }

        let twentyMilliseconds = 8000 / 50
        let voiceFlags = max(1, Int(opus_packet_get_samples_per_frame(bytes, 8000)) / twentyMilliseconds)
        return (header >> UInt8(7 - voiceFlags)) & 1 == 1
    }

    /// The first byte of a packet's first frame; nil when that is empty or the packet malformed.
    private static func firstByteOfFirstFrame(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> UInt8? {
        // At most 48 frames of 2.5 ms fit into a packet: opus_packet_parse writes an address and a length for each.
        withUnsafeTemporaryAllocation(of: UnsafePointer<UInt8>?.self, capacity: 48) { frames in
            withUnsafeTemporaryAllocation(of: opus_int16.self, capacity: 48) { lengths in
                guard let sizes = lengths.baseAddress else { return nil }
                frames.initialize(repeating: nil)
                lengths.initialize(repeating: 0)
                let found = opus_packet_parse(bytes, opus_int32(clamping: count), nil, frames.baseAddress, sizes, nil)
                return found > 0 && sizes[0] > 0 ? frames[0]?.pointee : nil
            }
        }
    }
}
