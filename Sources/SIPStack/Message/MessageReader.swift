/// The first reader of everything that arrives: screens size, layout and the necessary fields, and can always name what is wrong.
///
/// libosip2 never sees a whole message: its parser refuses messages that RFC 4475 calls valid, and it is C. It reads single URIs
/// and media types of messages that passed here.
enum MessageReader {
    /// The largest UDP datagram.
    static let maximumMessageSize = 65_536
    /// A Call-ID longer than this serves nobody (the longest of RFC 4475 has 143 bytes).
    static let maximumCallID = 1_024
    /// Bytes; the longest Request-URI of RFC 4475 has some 300.
    static let maximumURI = 8_192

    static func read(_ bytes: UnsafeRawBufferPointer) -> ReadMessage {
        guard bytes.count <= maximumMessageSize else { return .unreadable("larger than 64 KiB") }
        let message = Array(bytes)
        guard let start = message.firstIndex(where: { $0 != 13 && $0 != 10 && $0 != 0 }) else { return .keepAlive }
        // Empty lines before the start line are to be ignored (RFC 3261 7.5); zeros before it are not.
        guard !message[..<start].contains(0) else { return .unreadable("zeros before the start line") }
        let block = HeaderBlock(message[start...])
        if block.startLine.count >= 4, String(decoding: block.startLine[..<4], as: UTF8.self).uppercased() == "SIP/" {
            return response(block)
        }
        return request(block)
    }

    // MARK: Requests

    private static func request(_ block: HeaderBlock) -> ReadMessage {
        // A fourth part is one too many already.
        let parts = block.startLine.split(separator: 32, maxSplits: 3, omittingEmptySubsequences: false)
        guard let first = parts.first, !first.isEmpty, first.allSatisfy(ByteScanner.isToken), mentionsSIP(block.startLine) else {
            return .unreadable("no SIP start line")
        }
        let method = String(decoding: first, as: UTF8.self)
        guard let row = block.headers.first("via"), let via = Via(reading: row.value) else { return .unreadable("no Via to answer to") }
        do throws(MalformedMessage) {
            if let problem = block.problem { throw MalformedMessage(problem) }
            let uri = try requestURI(parts)
            if let problem = via.problem { throw problem }
            let common = try fields(block, method: method)
            let maxForwards = try maxForwards(block.headers)
            for contact in block.headers.all("contact") where contact.value != [UInt8(ascii: "*")] {
                _ = try NameAddress.list(contact.value, field: "Contact")
            }
            return .request(
                SIPRequest(
                    method: method, uri: uri, headers: block.headers, via: via, from: common.from, to: common.to, callID: common.callID,
                    sequence: common.sequence, maxForwards: maxForwards, body: try body(block)))
        } catch {
            return .refused(RefusedRequest(method: method, headers: block.headers, via: via, problem: error))
        }
    }

    /// Exactly one space between the three parts (RFC 3261 7.1), a URI without brackets and header part, and version 2.0.
    private static func requestURI(_ parts: [ArraySlice<UInt8>]) throws(MalformedMessage) -> String {
        guard parts.count == 3, !parts[1].isEmpty else { throw MalformedMessage("Malformed Request-Line") }
        guard parts[1].count <= maximumURI else { throw MalformedMessage("Request-URI Too Long", status: 414) }
        let version = String(decoding: parts[2], as: UTF8.self).uppercased()
        if version != "SIP/2.0" {
            let digits = version.hasPrefix("SIP/") ? version.dropFirst(4).split(separator: ".", omittingEmptySubsequences: false) : []
            let isVersion = digits.count == 2 && digits.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } }
            throw isVersion ? MalformedMessage("Version Not Supported", status: 505) : MalformedMessage("Malformed Request-Line")
        }
        let uri = String(decoding: parts[1], as: UTF8.self)
        guard !uri.utf8.contains(where: { $0 <= 32 || $0 == 127 || "<>\"".utf8.contains($0) }), let scheme = SIPURI.scheme(of: uri) else {
            throw MalformedMessage("Malformed Request-URI")
        }
        guard scheme == "sip" || scheme == "sips" else { return uri }
        // After the user part (which may hold a question mark) a header part has no place in a Request-URI (RFC 3261 19.1.1).
        let host = uri.lastIndex(of: "@").map { uri[$0...] } ?? uri[...]
        guard !host.utf8.contains(UInt8(ascii: "?")) else { throw MalformedMessage("Header Part In Request-URI") }
        return uri
    }

    /// Whether `SIP/` stands in it, in either case. It is asked of every line that strangers send.
    private static func mentionsSIP(_ line: [UInt8]) -> Bool {
        line.withUnsafeBufferPointer { bytes in
            bytes.indices.dropFirst(3).contains { end in
                bytes[end] == UInt8(ascii: "/") && bytes[end - 1] | 0x20 == UInt8(ascii: "p") && bytes[end - 2] | 0x20 == UInt8(ascii: "i")
                    && bytes[end - 3] | 0x20 == UInt8(ascii: "s")
            }
        }
    }

    // MARK: Responses

    private static func response(_ block: HeaderBlock) -> ReadMessage {
        let parts = block.startLine.split(separator: 32, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, String(decoding: parts[0], as: UTF8.self).uppercased() == "SIP/2.0", parts[1].count == 3,
            let status = DecimalNumber.read(parts[1], maximum: 699), status >= 100
        else { return .unreadable("malformed status line") }
        guard let row = block.headers.first("via"), let via = Via(reading: row.value) else { return .unreadable("no Via") }
        do throws(MalformedMessage) {
            if let problem = block.problem { throw MalformedMessage(problem) }
            if let problem = via.problem { throw problem }
            let common = try fields(block, method: nil)
            let reason = parts.count > 2 ? String(decoding: parts[2], as: UTF8.self) : ""
            return .response(
                SIPResponse(
                    status: status, reason: reason, headers: block.headers, via: via, from: common.from, to: common.to,
                    callID: common.callID, sequence: common.sequence, body: try body(block)))
        } catch {
            return .unreadable(error.reason)
        }
    }

    // MARK: Fields of both

    private struct CommonFields {
        let from: NameAddress
        let to: NameAddress
        let callID: String
        let sequence: CommandSequence
    }

    private static func fields(_ block: HeaderBlock, method: String?) throws(MalformedMessage) -> CommonFields {
        let from = try NameAddress(reading: required(block.headers, "from", name: "From").value, field: "From")
        let to = try NameAddress(reading: required(block.headers, "to", name: "To").value, field: "To")
        let callID = try required(block.headers, "call-id", name: "Call-ID").value
        guard !callID.isEmpty, callID.count <= maximumCallID, callID.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            throw MalformedMessage("Malformed Call-ID")
        }
        let sequence = try CommandSequence(reading: required(block.headers, "cseq", name: "CSeq").value)
        if let method, sequence.method != method { throw MalformedMessage("CSeq Method Mismatch") }
        return CommonFields(from: from, to: to, callID: String(decoding: callID, as: UTF8.self), sequence: sequence)
    }

    private static func maxForwards(_ headers: [SIPHeader]) throws(MalformedMessage) -> Int? {
        guard let header = try single(headers, "max-forwards", name: "Max-Forwards") else { return nil }
        guard let number = DecimalNumber.read(header.value, maximum: 255) else { throw MalformedMessage("Bad Max-Forwards") }
        return number
    }

    private static func required(_ headers: [SIPHeader], _ key: String, name: String) throws(MalformedMessage) -> SIPHeader {
        guard let header = try single(headers, key, name: name) else { throw MalformedMessage("Missing \(name)") }
        return header
    }

    /// The field, if it is there; twice is an error, for nobody can tell which is meant (RFC 4475 3.3.8).
    private static func single(_ headers: [SIPHeader], _ key: String, name: String) throws(MalformedMessage) -> SIPHeader? {
        let all = headers.all(key)
        guard all.count < 2 else { throw MalformedMessage("Multiple \(name) Fields") }
        return all.first
    }

    /// As long as Content-Length says, what follows is ignored; without the field the rest of the datagram (RFC 3261 18.3).
    private static func body(_ block: HeaderBlock) throws(MalformedMessage) -> [UInt8] {
        _ = try single(block.headers, "content-type", name: "Content-Type")
        guard let header = try single(block.headers, "content-length", name: "Content-Length") else { return Array(block.body) }
        guard let length = DecimalNumber.read(header.value, maximum: maximumMessageSize) else { throw MalformedMessage("Bad Content-Length") }
        guard length <= block.body.count else { throw MalformedMessage("Body Shorter Than Content-Length") }
        return Array(block.body.prefix(length))
    }
}
