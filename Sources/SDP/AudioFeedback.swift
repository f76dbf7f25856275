/// What a section offers beside RTCP's reports (RFC 4585 section 4.2, RFC 8285), as far as Tandem makes use of it.
public struct AudioFeedback: Sendable, Hashable {
    /// Lost packets are asked for, and sent again (generic NACK).
    public var retransmission = false
    /// The number of the header extension with a sequence number of the whole transport; nil: no feedback on such.
    public var transportSequence: UInt8?
    /// RTCP without a report at its head is understood (`a=rtcp-rsize`, RFC 5506): a third of the bytes of each feedback.
    public var reducedSize = false

    public init(retransmission: Bool = false, transportSequence: UInt8? = nil, reducedSize: Bool = false) {
        self.retransmission = retransmission
        self.transportSequence = transportSequence
        self.reducedSize = reducedSize
    }

    /// `a=extmap` of the transport-wide sequence number (draft-holmer-rmcat-transport-wide-cc-extensions-01).
    static let transportSequenceURI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
    /// The numbers that the one-byte form of header extensions has (RFC 8285 section 4.2).
    private static let extensionNumbers = 1...14

    /// What the section offers for one of its payload types; `*` stands for all of them.
    public init(_ media: MediaDescription, payloadType: UInt8) {
        let offered = media.feedback.filter { ($0.payloadType ?? payloadType) == payloadType }.map { $0.value.lowercased() }
        retransmission = offered.contains("nack")
        reducedSize = media.has("rtcp-rsize")
        guard offered.contains("transport-cc") else { return }
        let map = media.extensionMaps.first { $0.uri == Self.transportSequenceURI && ($0.direction ?? .sendrecv) == .sendrecv }
        guard let map, Self.extensionNumbers.contains(map.identifier) else { return }
        transportSequence = UInt8(map.identifier)
    }

    /// The lines of an answer that takes it.
    public func attributes(payloadType: UInt8) -> [Attribute] {
        var result = reducedSize ? [Attribute("rtcp-rsize")] : []
        if let transportSequence {
            result.append(Attribute("extmap", "\(transportSequence) \(Self.transportSequenceURI)"))
            result.append(Attribute("rtcp-fb", "\(payloadType) transport-cc"))
        }
        if retransmission { result.append(Attribute("rtcp-fb", "\(payloadType) nack")) }
        return result
    }
}
