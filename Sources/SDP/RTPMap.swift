/// One `a=rtpmap` line: what a payload type number stands for (RFC 8866 section 6.6).
public struct RTPMap: Sendable, Hashable {
    /// 0 to 127.
    public var payloadType: UInt8
    /// As written; encoding names are compared without case.
    public var encodingName: String
    /// In hertz.
    public var clockRate: Int
    /// 1 where none is written.
    public var channels: Int

    public init(payloadType: UInt8, encodingName: String, clockRate: Int, channels: Int = 1) {
        self.payloadType = payloadType
        self.encodingName = encodingName
        self.clockRate = clockRate
        self.channels = channels
    }

    /// Reads `111 opus/48000/2`.
    public init?(parsing value: String) {
        let fields = value[...].fields()
        guard fields.count >= 2, let number = fields[0].decimal, number <= 127 else { return nil }
        let parts = fields[1].parts(at: UInt8(ascii: "/"))
        guard parts.count >= 2, let clockRate = parts[1].decimal, clockRate > 0 else { return nil }
        payloadType = UInt8(number)
        encodingName = String(parts[0])
        self.clockRate = clockRate
        channels = parts.count > 2 ? parts[2].decimal ?? 1 : 1
    }

    /// The meaning RFC 3551 gives a number without a line of its own; of those only the ones Tandem speaks.
    public static func assigned(to payloadType: UInt8) -> RTPMap? {
        switch payloadType {
        case 0: RTPMap(payloadType: 0, encodingName: "PCMU", clockRate: 8000)
        case 8: RTPMap(payloadType: 8, encodingName: "PCMA", clockRate: 8000)
        case 9: RTPMap(payloadType: 9, encodingName: "G722", clockRate: 8000)
        default: nil
        }
    }

    /// The line's value: the channels are written only where there are several.
    public var value: String {
        "\(payloadType) \(encodingName)/\(clockRate)" + (channels > 1 ? "/\(channels)" : "")
    }
}

/// The parameters of one `a=fmtp` line, names in lower case.
public struct FormatParameters: Sendable, Hashable {
    private var values: [String: String] = [:]

    /// Reads `minptime=10;useinbandfec=1`, what follows the payload type. Of two parameters of one name the first counts.
    public init(parsing text: String) {
        for part in text[...].parts(at: UInt8(ascii: ";")) {
            let (name, value) = part.trimmed().cut(at: UInt8(ascii: "="))
            let key = name.trimmed().lowercased()
            guard !key.isEmpty, values[key] == nil else { continue }
            values[key] = value.map { String($0.trimmed()) } ?? ""
        }
    }

    public init() {}

    /// The parameter's value as text; empty for one without `=`.
    public subscript(_ name: String) -> String? { values[name] }

    /// The parameter's value where it is a decimal number.
    public func number(_ name: String) -> Int? { values[name]?.decimal }

    /// Whether the parameter is `1`.
    public func flag(_ name: String) -> Bool { values[name] == "1" }
}
