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
        let isMultiplexed = media.isControlMultiplexed
        // Lines and numbers are the peer's, thousands and a hundred: the lines are read once, not once for each number.
        let maps = Dictionary(media.rtpMaps.map { ($0.payloadType, $0) }, uniquingKeysWith: { first, _ in first })
        let blocks = Self.blocks(in: media)
        func isRedundancy(_ type: UInt8) -> Bool {
            if isMultiplexed && (64...95).contains(type) { return false }
            guard let map = maps[type], map.encodingName.lowercased() == "red", let blocks = blocks[type] else { return false }
            return map.clockRate == AudioCodec.opus.rtpClockRate && !blocks.isEmpty && blocks.allSatisfy { $0 == Int(primaryType) }
        }
        guard let place = types.firstIndex(where: isRedundancy) else { return nil }
        payloadType = types[place]
        self.primaryType = primaryType
        isPreferred = types.firstIndex(of: primaryType).map { place < $0 } ?? false
    }

    /// The payload types that each number's first `a=fmtp` line of that shape names; -1 for what is no number.
    private static func blocks(in media: MediaDescription) -> [UInt8: [Int]] {
        var blocks: [UInt8: [Int]] = [:]
        for value in media.values(of: "fmtp") {
            let fields = value[...].fields()
            guard fields.count == 2, let number = fields[0].decimal, let type = UInt8(exactly: number), blocks[type] == nil else { continue }
            blocks[type] = fields[1].parts(at: UInt8(ascii: "/")).map { $0.decimal ?? -1 }
        }
        return blocks
    }

    /// Its `a=rtpmap` and `a=fmtp` lines.
    var attributes: [Attribute] {
        let map = RTPMap(
            payloadType: payloadType, encodingName: "red", clockRate: AudioCodec.opus.rtpClockRate, channels: AudioCodec.opus.sdpChannels)
        return [Attribute("rtpmap", map.value), Attribute("fmtp", "\(payloadType) \(primaryType)/\(primaryType)")]
    }
}
