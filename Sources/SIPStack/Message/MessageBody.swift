/// Finds the session description in a body (RFC 3261 8.2.3; multipart as RFC 5621 has it).
enum MessageBody: Sendable, Equatable {
    case none
    case sessionDescription(String)
    /// Neither a description nor something that may be ignored: 415.
    case unsupported
    /// A content coding we do not read: 415 with Accept-Encoding.
    case encoded

    init(headers: [SIPHeader], body: [UInt8]) {
        guard !body.isEmpty else {
            self = .none
            return
        }
        if let coding = headers.first("content-encoding")?.text.lowercased(), !coding.isEmpty, coding != "identity" {
            self = .encoded
            return
        }
        let type = headers.first("content-type").flatMap { MediaType($0.text) }
        if type?.isSessionDescription == true || type == nil && headers.first("content-type") == nil && body.starts(with: "v=0".utf8) {
            self = .sessionDescription(String(decoding: body, as: UTF8.self))
        } else if let type, type.isMultipart, let boundary = type.parameters["boundary"], !boundary.isEmpty,
            let text = Self.part(of: body, boundary: boundary) {
            self = .sessionDescription(text)
        } else if Self.isOptional(headers) {
            self = .none
        } else {
            self = .unsupported
        }
    }

    /// Content-Disposition with `handling=optional`: the sender can do without our reading it (RFC 3261 20.11).
    private static func isOptional(_ headers: [SIPHeader]) -> Bool {
        guard let disposition = headers.first("content-disposition")?.text.lowercased() else { return false }
        return disposition.split(separator: ";").contains { $0.filter { $0 != " " } == "handling=optional" }
    }

    /// The first application/sdp part between the boundaries.
    private static func part(of body: [UInt8], boundary: String) -> String? {
        let delimiter = Array("--\(boundary)".utf8)
        var lines: [ArraySlice<UInt8>] = []
        var parts: [[ArraySlice<UInt8>]] = []
        var isInside = false
        for line in body.split(separator: 10, omittingEmptySubsequences: false) {
            let bare = line.last == 13 ? line.dropLast() : line
            if bare.starts(with: delimiter), bare.dropFirst(delimiter.count).trimmingWhitespace.allSatisfy({ $0 == UInt8(ascii: "-") }) {
                if isInside { parts.append(lines) }
                lines = []
                isInside = true
            } else if isInside {
                lines.append(bare)
            }
        }
        for part in parts {
            let text = Array(part.joined(separator: [13, 10])) + [13, 10]
            let block = HeaderBlock(text[...])
            // The part has no start line: what HeaderBlock took for one is its first field.
            let first = HeaderBlock((Array("\r\n".utf8) + block.startLine + [13, 10, 13, 10])[...]).headers
            let headers = first + block.headers
            guard let type = headers.first("content-type").flatMap({ MediaType($0.text) }), type.isSessionDescription else { continue }
            return String(decoding: block.body, as: UTF8.self)
        }
        return nil
    }
}
