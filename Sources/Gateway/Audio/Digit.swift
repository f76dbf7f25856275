/// A telephone key: 0 to 9, *, #, A to D (RFC 4733 section 3.2, events 0 to 15).
struct Digit: Hashable, Sendable {
    /// The event code of RFC 4733, 0 to 15.
    let event: UInt8
    /// How it came; keys that came in different ways are the same.
    var source = Source.telephoneEvent

    enum Source: String, Sendable {
        case telephoneEvent = "rfc4733"
        case info
        case inband
    }

    /// nil for anything that is no key.
    init?(event: UInt8) {
        guard event < 16 else { return nil }
        self.event = event
    }

    init?(_ character: Character) {
        guard let index = Self.characters.firstIndex(of: Character(character.uppercased())) else { return nil }
        event = UInt8(index)
    }

    static func == (left: Digit, right: Digit) -> Bool { left.event == right.event }
    func hash(into hasher: inout Hasher) { hasher.combine(event) }

    /// The same key, come in another way.
    func from(_ source: Source) -> Digit {
        var digit = self
        digit.source = source
        return digit
    }

    var character: Character { Self.characters[Int(event)] }

    private static let characters: [Character] = Array("0123456789*#ABCD")
}
