/// A codec under the number one section gives it.
public struct AudioFormat: Sendable, Hashable {
    public var codec: AudioCodec
    public var payloadType: UInt8
    /// Its `a=fmtp` line.
    public var parameters: FormatParameters

    public init(codec: AudioCodec, payloadType: UInt8, parameters: FormatParameters = FormatParameters()) {
        self.codec = codec
        self.payloadType = payloadType
        self.parameters = parameters
    }
}

/// What one audio section lists of what Tandem speaks, in the section's order.
public struct AudioCapabilities: Sendable, Hashable {
    /// One per codec: of two numbers for one codec the first counts.
    public var formats: [AudioFormat]
    /// One per clock rate.
    public var telephoneEvents: [TelephoneEventFormat]
    /// For its Opus.
    public var redundancy: RedundancyFormat?

    public init(formats: [AudioFormat], telephoneEvents: [TelephoneEventFormat], redundancy: RedundancyFormat? = nil) {
        self.formats = formats
        self.telephoneEvents = telephoneEvents
        self.redundancy = redundancy
    }

    /// Reads a section. `known` says what a number without `a=rtpmap` stands for: in an answer, what the offer said it is.
    /// With `a=rtcp-mux` the numbers 64 to 95 are unusable, as they look like RTCP (RFC 5761 section 4).
    public init(_ media: MediaDescription, known: [UInt8: RTPMap] = [:]) {
        formats = []
        telephoneEvents = []
        let maps = Dictionary(media.rtpMaps.map { ($0.payloadType, $0) }, uniquingKeysWith: { first, _ in first })
        let isMultiplexed = media.isControlMultiplexed
        for payloadType in media.payloadTypes {
            if isMultiplexed && (64...95).contains(payloadType) { continue }
            guard let map = maps[payloadType] ?? known[payloadType] ?? RTPMap.assigned(to: payloadType) else { continue }
            if let codec = AudioCodec(map) {
                guard !formats.contains(where: { $0.codec == codec }) else { continue }
                let parameters = media.formatParameters(of: payloadType)
                formats.append(AudioFormat(codec: codec, payloadType: payloadType, parameters: parameters))
            } else if map.encodingName.lowercased() == "telephone-event" {
                guard !telephoneEvents.contains(where: { $0.clockRate == map.clockRate }) else { continue }
                telephoneEvents.append(TelephoneEventFormat(payloadType: payloadType, clockRate: map.clockRate))
            }
        }
        if let opus = formats.first(where: { $0.codec == .opus }) {
            redundancy = RedundancyFormat(media, primaryType: opus.payloadType)
        }
    }

    /// Only these codecs, in this section's order, and the telephone events that fit them.
    public func selecting(_ codecs: [AudioCodec]) -> AudioCapabilities {
        AudioCapabilities(formats: formats.filter { codecs.contains($0.codec) }, telephoneEvents: telephoneEvents, redundancy: redundancy).fitted()
    }

    /// Only these codecs, in the order given, and the telephone events that fit them.
    public func preferring(_ codecs: [AudioCodec]) -> AudioCapabilities {
        let chosen = codecs.compactMap { codec in formats.first { $0.codec == codec } }
        return AudioCapabilities(formats: chosen, telephoneEvents: telephoneEvents, redundancy: redundancy).fitted()
    }

    /// An event's clock equals that of a codec beside it (RFC 4733 section 2.1). 8000 beside Opus alone is taken where
    /// nothing else was offered, for peers that know no other.
    private func fitted() -> AudioCapabilities {
        var result = self
        let clocks = Set(formats.map(\.codec.rtpClockRate))
        let fitting = telephoneEvents.filter { clocks.contains($0.clockRate) }
        if !formats.contains(where: { $0.payloadType == redundancy?.primaryType }) { result.redundancy = nil }
        result.telephoneEvents = fitting.isEmpty ? telephoneEvents.filter { $0.clockRate == 8000 } : fitting
        return result
    }

    /// The event format to send with beside a codec: the same clock, else 8000.
    public func telephoneEvent(beside codec: AudioCodec) -> TelephoneEventFormat? {
        telephoneEvents.first { $0.clockRate == codec.rtpClockRate } ?? telephoneEvents.first { $0.clockRate == 8000 }
    }

    /// What every number stands for, for reading the peer's answer to this.
    public var rtpMaps: [UInt8: RTPMap] {
        var maps: [UInt8: RTPMap] = [:]
        for format in formats {
            maps[format.payloadType] = RTPMap(
                payloadType: format.payloadType, encodingName: format.codec.sdpName,
                clockRate: format.codec.rtpClockRate, channels: format.codec.sdpChannels)
        }
        for event in telephoneEvents {
            maps[event.payloadType] = RTPMap(
                payloadType: event.payloadType, encodingName: "telephone-event", clockRate: event.clockRate)
        }
        return maps
    }

    /// The formats of an `m=` line that says this.
    public var formatList: [String] {
        var types = formats.map(\.payloadType)
        if let redundancy {
            let place = redundancy.isPreferred ? types.firstIndex(of: redundancy.primaryType) : nil
            types.insert(redundancy.payloadType, at: place ?? types.endIndex)
        }
        return (types + telephoneEvents.map(\.payloadType)).map { "\($0)" }
    }

    /// The `a=rtpmap` and `a=fmtp` lines of an answer or offer of ours that says this.
    public var attributes: [Attribute] {
        let maps = rtpMaps
        var result: [Attribute] = []
        for format in formats {
            if let map = maps[format.payloadType] { result.append(Attribute("rtpmap", map.value)) }
            // Frames of 10 ms and forward error correction: what we can receive.
            if format.codec == .opus { result.append(Attribute("fmtp", "\(format.payloadType) minptime=10;useinbandfec=1")) }
        }
        result += redundancy?.attributes ?? []
        for event in telephoneEvents {
            if let map = maps[event.payloadType] { result.append(Attribute("rtpmap", map.value)) }
            result.append(Attribute("fmtp", "\(event.payloadType) 0-15"))
        }
        return result
    }
}
