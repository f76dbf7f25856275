import Testing

@testable import Dialplan

@Suite("E.164")
struct E164Tests {
    @Test("numbers become international", arguments: [
        ("+14155550123", "", "+14155550123"), ("+1 (415) 555-01.23", "44", "+14155550123"), ("(+44) 20 7946 0123", "1", "+442079460123"),
        ("0044 20 7946 0123", "", "+442079460123"), ("00442079460123", "49", "+442079460123"), ("011442079460123", "1", "+442079460123"),
        ("00442079460123", "1", "+442079460123"), ("4155550123", "1", "+14155550123"), ("14155550123", "1", "+14155550123"),
        ("(415) 555-0123", "1", "+14155550123"), ("020 7946 0123", "44", "+442079460123"), ("030123456", "49", "+4930123456"),
    ])
    func international(given: String, country: String, expected: String) {
        #expect(E164.normalise(given, country: country) == expected)
    }

    @Test("everything else stays", arguments: [
        ("911", "1"), ("112", "44"), ("000", "61"), ("0", "44"), ("00", ""), ("1001", ""), ("011", "1"), ("24155550123", "1"),
        ("demo", "1"), ("john.doe", "1"), ("anonymous", "44"), ("", "1"), ("+", "1"), ("-", "1"), ("()", ""),
        ("+1+2", "1"), ("*98", "1"), ("1415555٠123", "1"), ("４１５５５５０１２３", "1"), ("4155550123x7", "1"), ("020794601234", ""),
    ])
    func unchanged(given: String, country: String) {
        #expect(E164.normalise(given, country: country) == given)
    }

    @Test("short codes lose their separators only")
    func shortCode() {
        #expect(E164.normalise("1-800", country: "44") == "1800")
    }

    @Test("hundreds of digits pass through", arguments: ["1", "44", ""])
    func long(country: String) {
        let digits = String(repeating: "9", count: 200)
        #expect(E164.normalise(digits, country: country) == digits)
        #expect(E164.normalise("00" + digits, country: country) == "+" + digits)
    }

    @Test("both forms are kept")
    func bothForms() {
        let number = NormalisedNumber("(415) 555-0123", country: "1")
        #expect(number.given == "(415) 555-0123")
        #expect(number.e164 == "+14155550123")
    }

    @Test("escapes are decoded once, broken ones stay", arguments: [
        ("%2B14155550123", "+14155550123"), ("%2b1", "+1"), ("a%20b", "a b"), ("%252B", "%2B"), ("100%", "100%"), ("%4", "%4"), ("%zz", "%zz"),
        ("caf%C3%A9", "café"), ("%FF", "%FF"), ("plain", "plain"), ("%", "%"), ("", ""),
    ])
    func percent(escaped: String, expected: String) {
        #expect(E164.percentDecoded(escaped) == expected)
    }
}
