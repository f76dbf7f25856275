/// Redundant sound (RFC 2198) as browsers offer it: `red/48000/2` whose every block is Opus.
public struct RedundancyFormat: Sendable, Hashable {
    public var payloadType: UInt8
    /// That of the Opus in it.
    public var primaryType: UInt8
    /// The section lists it before Opus: it wants to send it. Chrome sends what the answer lists so.
    public var isPreferred: Bool

    public init(payloadType: UInt8, primaryType: UInt8, isPreferred: Bool = false) {
        self.payloadType = payloadType
        self.primaryType = primaryType
        self.isPreferred = isPreferred
    }

    /// The first one a section lists for its Opus; nil where there is none. `a=fmtp:63 111/111` names what may be in it.
    init?(_ media: MediaDescription, primaryType: UInt8) {
        let types = media.payloadTypes
        let maps = media.rtpMaps
        func isRedundancy(_ type: UInt8) -> Bool {
            if media.isControlMultiplexed && (64...95).contains(type) { return false }
            guard let map = maps.first(where: { $0.payloadType == type }) else { return false }
            return map.encodingName.lowercased() == "red" && map.clockRate == AudioCodec.opus.rtpClockRate
                && Self.blocks(of: type, in: media).allSatisfy { $0 == Int(primaryType) }
                && !Self.blocks(of: type, in: media).isEmpty
        }
        guard let place = types.firstIndex(where: isRedundancy) else { return nil }
        payloadType = types[place]
        self.primaryType = primaryType
        isPreferred = types.firstIndex(of: primaryType).map { place < $0 } ?? false
    }

    /// The payload types its `a=fmtp` line names; -1 for what is no number.
    private static func blocks(of payloadType: UInt8, in media: MediaDescription) -> [Int] {
        for value in media.values(of: "fmtp") {
            let fields = value[...].fields()
            guard fields.count == 2, fields[0].decimal == Int(payloadType) else { continue }
            return fields[1].parts(at: UInt8(ascii: "/")).map { $0.decimal ?? -1 }
        }
        return []
    }

    /// Its `a=rtpmap` and `a=fmtp` lines.
    var attributes: [Attribute] {
        let map = RTPMap(
            payloadType: payloadType, encodingName: "red", clockRate: AudioCodec.opus.rtpClockRate, channels: AudioCodec.opus.sdpChannels)
        return [Attribute("rtpmap", map.value), Attribute("fmtp", "\(payloadType) \(primaryType)/\(primaryType)")]
    }
}
