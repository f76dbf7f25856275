import Testing

@testable import Gateway

@Suite struct TwiMLScriptTests {
    private static func script(_ verbs: [TwiML.Verb], after: TwiMLScript? = nil) -> TwiMLScript {
        TwiMLScript(TwiML(verbs: verbs), agent: "assistant", base: "https://a.example/voice/start?x=1", after: after)
    }

    @Test func verbsRunInOrderAndThenTheCallEnds() {
        var script = Self.script([.pause(seconds: 2), .play(url: "hello.wav", times: 2), .connect(TwiML.Stream())])
        #expect(script.next() == .pause(seconds: 2))
        #expect(script.next() == .play(url: "https://a.example/voice/hello.wav"))
        #expect(script.next() == .play(url: "https://a.example/voice/hello.wav"))
        #expect(script.next() == .stream(TwiML.Stream()))
        let end = CallEnd(.agentHangup)
        #expect(script.next(after: end) == .end(end))
    }

    @Test func aLostAgentIsFollowedByTheNextVerbElseByTheRoute() {
        var script = Self.script([.connect(TwiML.Stream()), .play(url: "/sorry.wav", times: 1)])
        _ = script.next()
        #expect(script.next(after: CallEnd(.agentLost)) == .play(url: "https://a.example/sorry.wav"))
        script = Self.script([.connect(TwiML.Stream())])
        _ = script.next()
        #expect(script.next(after: CallEnd(.agentLost)) == .leave(CallEnd(.agentLost)))
    }

    @Test func theActionOfDialIsToldHowItWent() {
        var dial = TwiML.Dial(targets: ["+1"])
        dial.action = TwiML.Request(url: "/dialled", isGet: true)
        for (outcome, word) in [(EndReason.calleeHangup, "completed"), (.busy, "busy"), (.noAnswer, "no-answer"), (.unreachable, "failed")] {
            var script = Self.script([.dial(dial), .hangUp])
            #expect(script.next() == .dial(dial))
            let fields = [FormField("DialCallStatus", word)]
            #expect(script.next(after: CallEnd(outcome)) == .fetch(url: "https://a.example/dialled", isGet: true, fields: fields))
        }
    }

    @Test func redirectsAreBounded() {
        var script = Self.script([.redirect(TwiML.Request(url: ""))])
        for _ in 0..<TwiMLScript.mostRedirects {
            #expect(script.next() == .fetch(url: "https://a.example/voice/start?x=1", isGet: false, fields: []))
            script = Self.script([.redirect(TwiML.Request(url: ""))], after: script)
        }
        #expect(script.next() == .end(CallEnd(.failed, detail: "The TwiML documents redirect in a circle.")))
        // Something that is heard in between makes it no circle.
        script = Self.script([.pause(seconds: 1), .redirect(TwiML.Request(url: "b"))], after: script)
        _ = script.next()
        #expect(script.next() == .fetch(url: "https://a.example/voice/b", isGet: false, fields: []))
    }

    @Test(arguments: ["file:///etc/passwd", "ftp://a/b", "http://user:password@a/", "http://a b/"])
    func onlyTheWebIsAsked(_ url: String) {
        #expect(TwiMLScript.resolve(url, "https://a.example/") == nil)
    }
}
