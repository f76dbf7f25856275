/// A message cut into start line, header fields and body, before anything in it is understood.
struct HeaderBlock {
    let startLine: [UInt8]
    let headers: [SIPHeader]
    let body: ArraySlice<UInt8>
    /// What is wrong with the layout, if anything; the fields read so far are there nevertheless.
    let problem: String?

    /// RFC 4475's longest message has 52 fields; carriers add a dozen Vias and Record-Routes at most.
    static let maximumHeaders = 256
    /// Longer than any field of a real phone (Identity and STIR passports come near 2 KiB).
    static let maximumHeaderLength = 16_384

    init(_ bytes: ArraySlice<UInt8>) {
        var position = bytes.startIndex
        startLine = Self.nextLine(bytes, &position).map(Array.init) ?? []
        var unfolded: [UInt8]?
        var headers: [SIPHeader] = []
        var problem: String?
        var sawEnd = false

        func flush() {
            guard let row = unfolded else { return }
            unfolded = nil
            guard let header = Self.header(row) else {
                problem = problem ?? "Header Field Without Name"
                return
            }
            headers.append(header)
        }
        while let line = Self.nextLine(bytes, &position) {
            if line.isEmpty {
                sawEnd = true
                break
            }
            if line.first == 32 || line.first == 9 {
                // A folded line: any whitespace around the fold stands for one space (RFC 3261 7.3.1).
                unfolded?.append(32)
                unfolded?.append(contentsOf: line.trimmingWhitespace)
            } else {
                flush()
                if headers.count >= Self.maximumHeaders {
                    problem = "Too Many Header Fields"
                    break
                }
                unfolded = Array(line)
            }
            if (unfolded?.count ?? 0) > Self.maximumHeaderLength {
                problem = "Header Field Too Long"
                unfolded = nil
                break
            }
        }
        flush()
        if !sawEnd { problem = problem ?? "No Empty Line After Header" }
        if Self.containsBareNull(headers) { problem = problem ?? "NUL In Header" }
        self.headers = headers
        self.problem = problem
        body = sawEnd ? bytes[position...] : []
    }

    /// Only the header fields of a block without its body, for the stream framer.
    static func rows(_ bytes: ArraySlice<UInt8>) -> [SIPHeader] { HeaderBlock(bytes).headers }

    /// The next line without its end (CRLF; a bare LF is tolerated), nil at the end of the bytes.
    private static func nextLine(_ bytes: ArraySlice<UInt8>, _ position: inout Int) -> ArraySlice<UInt8>? {
        guard position < bytes.endIndex else { return nil }
        let end = bytes[position...].firstIndex(of: 10) ?? bytes.endIndex
        var line = bytes[position..<end]
        position = min(end + 1, bytes.endIndex)
        if line.last == 13 { line = line.dropLast() }
        return line
    }

    /// `name HCOLON value`: spaces before the colon are legal.
    private static func header(_ row: [UInt8]) -> SIPHeader? {
        guard let colon = row.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let name = row[..<colon].trimmingWhitespace
        guard !name.isEmpty, name.allSatisfy(ByteScanner.isToken) else { return nil }
        // A carriage return inside a line would end a field where we give it back in an answer.
        let value = row[(colon + 1)...].trimmingWhitespace.map { $0 == 13 ? 32 : $0 }
        return SIPHeader(name: String(decoding: name, as: UTF8.self), value: value)
    }

    /// NUL is legal only as a quoted pair (RFC 4475 3.1.1.2); anywhere else it would cut a C string short.
    private static func containsBareNull(_ headers: [SIPHeader]) -> Bool {
        headers.contains { header in
            header.value.indices.contains { index in
                header.value[index] == 0 && (index == 0 || header.value[index - 1] != UInt8(ascii: "\\"))
            }
        }
    }
}
