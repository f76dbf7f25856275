extension MediaDescription {
    /// The payload type numbers of the `m=` line, in its order, each once; what is no number up to 127 is left out.
    public var payloadTypes: [UInt8] {
        var seen: Set<UInt8> = []
        return formats.compactMap { format in
            guard let number = format.decimal, number <= 127, seen.insert(UInt8(number)).inserted else { return nil }
            return UInt8(number)
        }
    }

    /// Every readable `a=rtpmap` line.
    public var rtpMaps: [RTPMap] {
        values(of: "rtpmap").compactMap(RTPMap.init(parsing:))
    }

    /// What the number stands for: its `a=rtpmap`, else its assignment in RFC 3551.
    public func rtpMap(of payloadType: UInt8) -> RTPMap? {
        rtpMaps.first { $0.payloadType == payloadType } ?? RTPMap.assigned(to: payloadType)
    }

    /// The parameters of the number's `a=fmtp` line; empty where there is none.
    public func formatParameters(of payloadType: UInt8) -> FormatParameters {
        for value in values(of: "fmtp") {
            let text = value[...].trimmed()
            guard let number = text.fields().first, number.decimal == Int(payloadType) else { continue }
            return FormatParameters(parsing: String(Substring(text.utf8.dropFirst(number.utf8.count))))
        }
        return FormatParameters()
    }

    /// `a=ptime` in milliseconds, decimals cut off; nil when absent or unreadable.
    public var packetTime: Int? { milliseconds(of: "ptime") }

    /// `a=maxptime` in milliseconds.
    public var maximumPacketTime: Int? { milliseconds(of: "maxptime") }

    private func milliseconds(of name: String) -> Int? {
        guard let value = value(of: name), let number = value[...].cut(at: UInt8(ascii: ".")).0.decimal, number > 0 else { return nil }
        return number
    }

    /// Every readable `a=rtcp-fb` line (RFC 4585 section 4.2).
    public var feedback: [RTCPFeedback] {
        values(of: "rtcp-fb").compactMap(RTCPFeedback.init(parsing:))
    }

    /// Every readable `a=ssrc` line (RFC 5576 section 4.1).
    public var sources: [SourceAttribute] {
        values(of: "ssrc").compactMap(SourceAttribute.init(parsing:))
    }
}

/// One `a=rtcp-fb` line: `* nack pli`, `111 transport-cc`.
public struct RTCPFeedback: Sendable, Hashable {
    /// nil stands for `*`, every payload type.
    public var payloadType: UInt8?
    /// The type and its parameters as written.
    public var value: String

    public init?(parsing text: String) {
        let fields = text[...].fields()
        guard fields.count >= 2 else { return nil }
        if fields[0] != "*" {
            guard let number = fields[0].decimal, number <= 127 else { return nil }
            payloadType = UInt8(number)
        }
        value = fields.dropFirst().map(String.init).joined(separator: " ")
    }
}

/// One `a=ssrc` line: `4018309317 cname:abc`.
public struct SourceAttribute: Sendable, Hashable {
    public var ssrc: UInt32
    public var attribute: Attribute

    public init?(parsing text: String) {
        let fields = text[...].fields()
        guard fields.count >= 2, let number = fields[0].decimal, let ssrc = UInt32(exactly: number) else { return nil }
        let rest = fields.dropFirst().map(String.init).joined(separator: " ")
        let (name, value) = rest[...].cut(at: UInt8(ascii: ":"))
        self.ssrc = ssrc
        attribute = Attribute(String(name), value.map(String.init))
    }
}
