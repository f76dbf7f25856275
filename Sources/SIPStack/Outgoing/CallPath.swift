/// The way a call took through gateways like this one, so that one which comes back is known (RFC 3261 16.3 step 4, RFC 5393, for a B2BUA).
///
/// Each INVITE of ours gets a mark: a random part, a keyed sum that only we can check, and a keyed sum over the user dialled. It is the
/// Via's branch, which proxies keep, and the last of the marks in a field of its own, which gateways like this one hand on. Other B2BUAs
/// drop both; there Max-Forwards ends a loop (RFC 7332).
enum CallPath {
    static let fieldName = "X-Tandem-Path"
    /// More gateways in a row than any real call passes; beyond it the oldest marks are dropped.
    static let maximumMarks = 16
    /// So often a call may pass us when it goes to another number each time (forwarding is legal, RFC 3261's spiral).
    static let maximumPasses = 3

    /// 16 digits of randomness, 8 of origin, 8 of the dialled user.
    private static let markLength = 32

    enum Verdict: Equatable { case foreign, ours, loop }

    /// The marks of an INVITE that came in, those that are none left out.
    static func marks(_ headers: [SIPHeader]) -> [String] {
        Array(headers.tokens(fieldName.lowercased()).filter(isMark).suffix(maximumMarks))
    }

    static func isMark(_ text: String) -> Bool {
        text.utf8.count == markLength && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    static func mark(random: String, seed: UInt64, user: String) -> String { random + sum(random, seed) + sum(random + user, seed) }

    static func verdict(_ mark: String, seed: UInt64, user: String) -> Verdict {
        guard isMark(mark) else { return .foreign }
        let random = String(mark.prefix(16))
        guard mark.dropFirst(16).prefix(8) == sum(random, seed) else { return .foreign }
        return mark.hasSuffix(sum(random + user, seed)) ? .loop : .ours
    }

    /// FNV-1a, folded to 32 bits: forging one would only get the forger's own call refused.
    private static func sum(_ text: String, _ seed: UInt64) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ seed
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let digits = String(UInt32(truncatingIfNeeded: hash ^ hash >> 32), radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
