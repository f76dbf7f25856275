/// Cuts a TCP or TLS byte stream into SIP messages by Content-Length (RFC 3261 18.3).
///
/// One value per connection, fed by the driver; what it yields goes to ``SIPEndpoint/receive(_:from:known:now:into:)``.
public struct SIPStreamFramer: Sendable {
    public enum Output: Sendable, Equatable {
        /// One whole message. After a Content-Length that cannot be read it is followed by ``broken(_:)``.
        case message([UInt8])
        /// A double CRLF between messages (RFC 5626 3.5.1): answer with a single CRLF.
        case keepAlive
        /// The stream cannot be followed any further: close the connection. Later bytes are ignored.
        case broken(String)
    }

    /// Header block and body together; the largest UDP datagram, which no sane message comes near.
    public static let maximumMessageSize = 65_536
    /// A start line longer than this is not SIP (the longest of RFC 4475 is below 300).
    public static let maximumStartLine = 8_192

    private var buffer: [UInt8] = []
    /// Up to here `buffer` was searched for the empty line already, so that slow senders cost linear time.
    private var searched = 0
    private var body: (headerEnd: Int, total: Int)?
    private var emptyLines = 0
    private var isBroken = false

    public init() {}

    /// Takes the next bytes of the stream and appends what they complete.
    public mutating func receive(_ bytes: some Sequence<UInt8>, into out: inout [Output]) {
        guard !isBroken else { return }
        buffer.append(contentsOf: bytes)
        while !isBroken, step(into: &out) {}
    }

    /// One message, keep-alive or failure; false when more bytes are needed.
    private mutating func step(into out: inout [Output]) -> Bool {
        if let (_, total) = body {
            guard buffer.count >= total else { return false }
            finish(total, into: &out)
            return true
        }
        skipEmptyLines(into: &out)
        guard !buffer.isEmpty, checkStartLine(into: &out) else { return false }
        guard let headerEnd = findHeaderEnd() else {
            if buffer.count > Self.maximumMessageSize { breakOff("the header is larger than 64 KiB", into: &out) }
            return false
        }
        switch Self.contentLength(buffer[..<headerEnd]) {
        case .unreadable:
            // The reader answers it with 400; where the next message begins nobody knows.
            out.append(.message(buffer))
            breakOff("Content-Length cannot be read", into: &out)
            return false
        case .length(let length) where headerEnd + length > Self.maximumMessageSize:
            breakOff("the message is larger than 64 KiB", into: &out)
            return false
        case .length(let length):
            body = (headerEnd, headerEnd + length)
            return true
        }
    }

    private mutating func finish(_ total: Int, into out: inout [Output]) {
        out.append(.message(Array(buffer[..<total])))
        buffer.removeFirst(total)
        body = nil
        searched = 0
        emptyLines = 0
    }

    private mutating func breakOff(_ reason: String, into out: inout [Output]) {
        isBroken = true
        buffer = []
        body = nil
        out.append(.broken(reason))
    }

    private mutating func skipEmptyLines(into out: inout [Output]) {
        guard searched == 0 else { return }
        var position = 0
        while position < buffer.count {
            if buffer[position] == 13 {
                guard position + 1 < buffer.count, buffer[position + 1] == 10 else { break }
                position += 2
            } else if buffer[position] == 10 {
                position += 1
            } else {
                break
            }
            emptyLines += 1
            if emptyLines == 2 {
                out.append(.keepAlive)
                emptyLines = 0
            }
        }
        if position > 0 { buffer.removeFirst(position) }
    }

    /// False when bytes are missing or the stream does not speak SIP (a TLS hello, an HTTP request, noise).
    private mutating func checkStartLine(into out: inout [Output]) -> Bool {
        guard searched == 0 else { return true }
        guard buffer[0] > 32, buffer[0] < 127 || buffer.count == 1 && buffer[0] == 13 else {
            if buffer.count == 1 && buffer[0] == 13 { return false }
            breakOff("not SIP", into: &out)
            return false
        }
        guard let lineEnd = buffer.firstIndex(of: 10) else {
            if buffer.count > Self.maximumStartLine { breakOff("the start line is too long", into: &out) }
            return false
        }
        guard lineEnd <= Self.maximumStartLine, Self.containsVersion(buffer[..<lineEnd]) else {
            breakOff("not SIP", into: &out)
            return false
        }
        return true
    }

    private static func containsVersion(_ line: ArraySlice<UInt8>) -> Bool {
        let version = Array("SIP/".utf8)
        guard line.count >= version.count else { return false }
        for start in line.startIndex...(line.endIndex - version.count)
        where line[start] & 0xDF == version[0] && line[start + 3] == version[3] {
            if line[start + 1] & 0xDF == version[1], line[start + 2] & 0xDF == version[2] { return true }
        }
        return false
    }

    /// The index after the empty line that ends the header block.
    private mutating func findHeaderEnd() -> Int? {
        var position = max(searched, 1)
        while position < buffer.count {
            if buffer[position] == 10 {
                if buffer[position - 1] == 10 { return position + 1 }
                if position >= 2, buffer[position - 1] == 13, buffer[position - 2] == 10 { return position + 1 }
            }
            position += 1
        }
        searched = max(1, buffer.count)
        return nil
    }

    private enum Length { case length(Int), unreadable }

    private static func contentLength(_ header: ArraySlice<UInt8>) -> Length {
        let rows = HeaderBlock.rows(header)
        var found: Int?
        for row in rows where row.key == "content-length" {
            guard let length = DecimalNumber.read(row.value, maximum: Int(Int32.max)), found == nil || found == length else { return .unreadable }
            found = length
        }
        // RFC 3261 20.14 demands the field on streams; without it the only safe reading is an empty body.
        return .length(found ?? 0)
    }
}
