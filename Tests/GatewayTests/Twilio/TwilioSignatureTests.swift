import Testing

@testable import Gateway

/// Expected values are those of `RequestValidator` of Twilio's Python library, the first one is in Twilio's documentation too.
@Suite struct TwilioSignatureTests {
    @Test func aForm() {
        let fields = [
            FormField("To", "+18005551212"), FormField("CallSid", "CA1234567890ABCDE"), FormField("Caller", "+14158675309"),
            FormField("Digits", "1234"), FormField("From", "+14158675309"),
        ]
        let signature = TwilioSignature.sign("https://mycompany.com/myapp.php?foo=1&bar=2", fields: fields, token: "12345")
        #expect(signature == "RSOYDt4T1cUTdK1PDd93/VVr8B8=")
    }

    @Test func aSocket() {
        #expect(TwilioSignature.sign("wss://agents.example/media", token: "12345") == "eFQwTW9b2Eb+TMzE2KkW+B3eYUg=")
    }

    @Test func capitalsGoFirstAndTextIsUTF8() {
        let fields = [FormField("a", "ä & ö"), FormField("B", ""), FormField("From", "+1")]
        #expect(TwilioSignature.sign("https://agents.example:8443/voice", fields: fields, token: "12345") == "gSTq0pvO+DD1bryzwDalegTlubQ=")
    }

    @Test func formsAreReadAsTheyAreWritten() {
        let fields = [FormField("From", "+1415 555&="), FormField("SipHeader_X-Queue", "ä"), FormField("Empty", "")]
        #expect(FormField.write(fields) == "From=%2B1415%20555%26%3D&SipHeader_X-Queue=%C3%A4&Empty=")
        #expect(FormField.read(FormField.write(fields)) == fields)
        #expect(FormField.read("Status=completed&a+b=c+d&x") == [FormField("Status", "completed"), FormField("a b", "c d"), FormField("x", "")])
    }

    @Test(arguments: ["a=%", "a=%zz", "%ff=1", String(repeating: "a=b&", count: 201)])
    func whatIsNoFormIsRefused(_ text: String) {
        #expect(FormField.read(text) == nil)
    }
}
