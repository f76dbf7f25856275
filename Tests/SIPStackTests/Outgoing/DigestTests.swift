import NIOCore
import Testing

@testable import SIPStack

/// Digest authentication (RFC 7616, 2617, 8760).
@Suite struct DigestTests {
    private static let credentials = SIPCredentials(username: "Mufasa", password: "Circle of Life")

    /// A Digest field's parameters without quotes.
    private static func parameters(_ value: String?) -> [String: String] {
        var parameters: [String: String] = [:]
        for part in (value ?? "").dropFirst("Digest ".count).split(separator: ", ") {
            let pair = part.split(separator: "=", maxSplits: 1)
            parameters[String(pair[0])] = pair.count > 1 ? pair[1].filter { $0 != "\"" } : ""
        }
        return parameters
    }

    private func dial(_ harness: Harness) throws -> ParsedMessage { try #require(harness.dial(try Callee.order(credentials: Self.credentials))) }

    /// The examples of RFC 7616 3.9.1, and RFC 2617 3.5's password.
    @Test(arguments: [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"), ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ]) func theExamplesOfTheRFC(_ algorithm: String, _ response: String) {
        var client = DigestClient(credentials: Self.credentials)
        let challenge =
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=\(algorithm), nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        #expect(client.receive([SIPHeader("WWW-Authenticate", challenge)]) == .retry)
        let fields = client.fields(method: "GET", uri: "/dir/index.html", cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
        #expect(fields.count == 1 && fields[0].0 == "Authorization")
        let parameters = Self.parameters(fields.first?.1)
        #expect(parameters["response"] == response && parameters["nc"] == "00000001" && parameters["qop"] == "auth")
        #expect(parameters["opaque"] == "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS" && parameters["algorithm"] == algorithm)
        #expect(Self.parameters(client.fields(method: "GET", uri: "/", cnonce: "x").first?.1)["nc"] == "00000002")
    }

    /// A phone behind a trunk that wants every request proven.
    @Test func requestsWithinTheCallMeetTheirChallenges() throws {
        let harness = Harness()
        harness.respond(200, to: try dial(harness), body: Harness.sdp)
        _ = harness.takeSent()
        harness.run { $0.refer(Callee.id, to: "bob", at: SIPTarget(Callee.address), limit: .seconds(60), now: $1, into: &$2) }
        harness.run { $0.sendText(Callee.id, reference: 1, contentType: "text/plain", body: [120], now: $1, into: &$2) }
        for method in ["REFER", "MESSAGE"] {
            let request = try #require(harness.sent.map(\.message).last { $0.method == method })
            #expect(request["Authorization"] == nil)
            harness.respond(401, to: request, extra: ["WWW-Authenticate: Digest realm=\"\(method)\", nonce=\"1\", qop=\"auth\""])
            let again = try #require(harness.sent.map(\.message).last { $0.method == method })
            #expect(again["Authorization"]?.contains("username=\"Mufasa\"") == true && again.body == request.body && again["Refer-To"] == request["Refer-To"])
            harness.respond(202, to: again)
        }
        let told = harness.takeEvents().filter { event in
            switch event {
            case .referral(_, .accepted): false
            case .referral, .textRefused: true
            default: false
            }
        }
        #expect(told.isEmpty && harness.endpoint.counters.challenges == 2)
    }

    @Test func hashesOfKnownText() {
        #expect(DigestAlgorithm.md5.digest(of: "abc") == "900150983cd24fb0d6963f7d28e17f72")
        #expect(DigestAlgorithm.sha256.digest(of: "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(DigestAlgorithm.sha512256.digest(of: "abc") == "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23")
    }

    /// RFC 2617's form without qop, and MD5-sess, against hashes put together here.
    @Test func olderAndSessionForms() throws {
        var old = DigestClient(credentials: Self.credentials)
        #expect(old.receive([SIPHeader("WWW-Authenticate", "Digest realm=\"a\", nonce=\"n\"")]) == .retry)
        let md5 = DigestAlgorithm.md5
        let secret = try #require(md5.digest(of: "Mufasa:a:Circle of Life"))
        let request = try #require(md5.digest(of: "INVITE:sip:x"))
        let plain = Self.parameters(old.fields(method: "INVITE", uri: "sip:x", cnonce: "c").first?.1)
        #expect(plain["response"] == md5.digest(of: "\(secret):n:\(request)") && plain["qop"] == nil && plain["algorithm"] == nil && plain["cnonce"] == nil)
        var session = DigestClient(credentials: Self.credentials)
        #expect(session.receive([SIPHeader("WWW-Authenticate", "Digest realm=\"a\",nonce=\"n\",algorithm=MD5-sess,qop=\"auth\"")]) == .retry)
        let bound = try #require(md5.digest(of: "\(secret):n:c"))
        #expect(
            Self.parameters(session.fields(method: "INVITE", uri: "sip:x", cnonce: "c").first?.1)["response"]
                == md5.digest(of: "\(bound):n:00000001:c:auth:\(request)"))
    }

    @Test(arguments: [401, 407]) func aChallengeIsMetOnce(_ status: Int) throws {
        let harness = Harness()
        let first = try dial(harness)
        #expect(first["Authorization"] == nil && first["Proxy-Authorization"] == nil)
        let name = status == 401 ? "WWW-Authenticate" : "Proxy-Authenticate"
        harness.respond(status, to: first, extra: ["\(name): Digest realm=\"carrier\", nonce=\"abc\", qop=\"auth\", algorithm=MD5"])
        let sent = harness.takeSent()
        #expect(sent.map(\.method) == ["INVITE", "ACK", "INVITE"])
        let second = sent[2]
        #expect(second["Call-ID"] == first["Call-ID"] && second["From"] == first["From"] && second["CSeq"] == "2 INVITE" && second.toTag == nil)
        #expect(second["Via"] != first["Via"])
        let field = status == 401 ? "Authorization" : "Proxy-Authorization"
        let parameters = Self.parameters(second[field])
        #expect(parameters["username"] == "Mufasa" && parameters["realm"] == "carrier" && parameters["uri"] == second.requestURI)
        #expect(parameters["nc"] == "00000001" && parameters["cnonce"]?.isEmpty == false && second.all(field).count == 1)
        #expect(!second.text.contains("Circle"))
        // The ACK of the answer carries the same, the BYE an answer of its own.
        harness.respond(200, to: second, body: Harness.sdp)
        #expect(harness.takeSent().first?[field] == second[field])
        harness.run { $0.hangUp(Callee.id, now: $1, into: &$2) }
        let bye = try #require(harness.takeSent().last)
        #expect(Self.parameters(bye[field])["nc"] == "00000002" && Self.parameters(bye[field])["uri"] == bye.requestURI)
        // Its nonce has grown old during the call.
        harness.respond(status, to: bye, extra: ["\(name): Digest realm=\"carrier\", nonce=\"def\", qop=\"auth\", algorithm=MD5"])
        let again = try #require(harness.takeSent().last)
        #expect(again.method == "BYE" && again["CSeq"] == "4 BYE" && Self.parameters(again[field])["nonce"] == "def")
        harness.respond(status, to: again, extra: ["\(name): Digest realm=\"carrier\", nonce=\"ghi\", qop=\"auth\", algorithm=MD5"])
        #expect(harness.takeSent().isEmpty && harness.endpoint.counters.dialogsAlive == 0)
        harness.advance(.seconds(40))
        #expect(harness.isIdle)
    }

    @Test func aStaleNonceIsReplacedOnce() throws {
        let harness = Harness()
        harness.respond(401, to: try dial(harness), extra: ["WWW-Authenticate: Digest realm=\"carrier\", nonce=\"1\", qop=\"auth\""])
        harness.respond(401, to: try #require(harness.invites.last), extra: ["WWW-Authenticate: Digest realm=\"carrier\", nonce=\"2\", qop=\"auth\", stale=TRUE"])
        let third = try #require(harness.invites.last)
        #expect(harness.invites.count == 3 && Self.parameters(third["Authorization"])["nonce"] == "2" && Self.parameters(third["Authorization"])["nc"] == "00000001")
        harness.respond(401, to: third, extra: ["WWW-Authenticate: Digest realm=\"carrier\", nonce=\"3\", qop=\"auth\", stale=true"])
        #expect(harness.invites.count == 3 && harness.failure?.kind == .authenticationFailed)
        harness.advance(.seconds(40))
        #expect(harness.isIdle)
    }

    @Test func wrongPasswordsDoNotLoop() throws {
        let harness = Harness()
        harness.respond(407, to: try dial(harness), extra: ["Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"1\", qop=\"auth\""])
        harness.respond(407, to: try #require(harness.invites.last), extra: ["Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"2\", qop=\"auth\""])
        let failure = try #require(harness.failure)
        #expect(failure.kind == .authenticationFailed && failure.status == 407 && failure.detail == "the trunk refused the username or password")
        #expect(harness.invites.count == 2 && harness.terminals == 1)
    }

    @Test func withoutCredentialsTheCallEnds() throws {
        let harness = Harness()
        let invite = try #require(harness.dial(try Callee.order()))
        harness.respond(401, to: invite, extra: ["WWW-Authenticate: Digest realm=\"carrier\", nonce=\"1\""])
        let failure = try #require(harness.failure)
        #expect(failure.kind == .authenticationFailed && failure.detail.contains("none are configured") && harness.invites.count == 1)
    }

    @Test(arguments: [
        "WWW-Authenticate: Basic realm=\"carrier\"", "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"1\", qop=\"auth-int\"",
        "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"1\", algorithm=AKAv1-MD5", "WWW-Authenticate: Digest realm=\"carrier", "X-Nothing: 1",
        "WWW-Authenticate: ,,,=", "WWW-Authenticate: a=b",
    ]) func whatCannotBeAnsweredEndsTheCall(_ challenge: String) throws {
        let harness = Harness()
        harness.respond(401, to: try dial(harness), extra: [challenge])
        let failure = try #require(harness.failure)
        #expect(failure.kind == .authenticationFailed && failure.detail.contains("not supported") && harness.invites.count == 1)
    }

    @Test(arguments: [
        ["WWW-Authenticate: Digest realm=\"c\", nonce=\"5\", algorithm=MD5, qop=\"auth\"", "WWW-Authenticate: Digest realm=\"c\", nonce=\"6\", algorithm=SHA-256, qop=\"auth\""],
        ["WWW-Authenticate: Digest realm=\"c\", nonce=\"6\", algorithm=SHA-256, qop=\"auth\", Digest realm=\"c\", nonce=\"5\", algorithm=MD5"],
        ["WWW-Authenticate: Basic realm=\"c\"", "WWW-Authenticate: Digest realm=\"c\", nonce=\"6\", algorithm=SHA-256, qop=\"auth,auth-int\""],
    ]) func theBestOfSeveralIsTaken(_ challenges: [String]) throws {
        let harness = Harness()
        harness.respond(401, to: try dial(harness), extra: challenges)
        let invite = try #require(harness.invites.last)
        let parameters = Self.parameters(invite["Authorization"])
        #expect(invite.all("Authorization").count == 1 && parameters["nonce"] == "6" && parameters["algorithm"] == "SHA-256")
        #expect(parameters["response"]?.count == 64)
    }

    @Test func aChallengedInfoIsSentOnceMore() throws {
        let harness = Harness()
        harness.respond(401, to: try dial(harness), extra: ["WWW-Authenticate: Digest realm=\"a\", nonce=\"1\", qop=\"auth\""])
        harness.respond(200, to: try #require(harness.invites.last), body: Harness.sdp)
        _ = harness.takeSent()
        harness.run { $0.sendInfo(Callee.id, contentType: "application/dtmf-relay", body: Array("Signal=5\r\n".utf8), now: $1, into: &$2) }
        let info = try #require(harness.takeSent().first)
        #expect(Self.parameters(info["Authorization"])["nonce"] == "1" && Self.parameters(info["Authorization"])["uri"] == info.requestURI)
        harness.respond(401, to: info, extra: ["WWW-Authenticate: Digest realm=\"a\", nonce=\"2\", qop=\"auth\", stale=true"])
        let again = try #require(harness.takeSent().first)
        #expect(again.method == "INFO" && again.body == info.body && Self.parameters(again["Authorization"])["nonce"] == "2")
        harness.respond(401, to: again, extra: ["WWW-Authenticate: Digest realm=\"a\", nonce=\"3\", qop=\"auth\""])
        #expect(harness.takeSent().isEmpty && harness.endpoint.counters.dialogsAlive == 1)
    }

    @Test func severalRealmsAreMetTogether() throws {
        let harness = Harness()
        harness.respond(407, to: try dial(harness), extra: ["Proxy-Authenticate: Digest realm=\"proxy\", nonce=\"1\", qop=\"auth\""])
        harness.respond(407, to: try #require(harness.invites.last), extra: ["Proxy-Authenticate: Digest realm=\"next\", nonce=\"2\", qop=\"auth\""])
        harness.respond(401, to: try #require(harness.invites.last), extra: ["WWW-Authenticate: Digest realm=\"end\", nonce=\"3\", qop=\"auth\""])
        let last = try #require(harness.invites.last)
        #expect(harness.invites.count == 4 && last["CSeq"] == "4 INVITE")
        #expect(last.all("Proxy-Authorization").map { Self.parameters($0)["realm"] } == ["proxy", "next"])
        #expect(last.all("Proxy-Authorization").map { Self.parameters($0)["nc"] } == ["00000003", "00000002"])
        #expect(Self.parameters(last["Authorization"])["realm"] == "end")
        harness.respond(200, to: last, body: Harness.sdp)
        #expect(harness.answers.count == 1)
    }

    @Test func quotesInNamesStayInTheirPlace() {
        var client = DigestClient(credentials: SIPCredentials(username: "a\"b\\", password: "p"))
        #expect(client.receive([SIPHeader("WWW-Authenticate", "Digest realm=\"r \\\"1\\\"\", nonce=\"n\"")]) == .retry)
        let value = client.fields(method: "INVITE", uri: "sip:x", cnonce: "c").first?.1 ?? ""
        #expect(value.hasPrefix("Digest username=\"a\\\"b\\\\\", realm=\"r \\\"1\\\"\", nonce=\"n\""))
        let md5 = DigestAlgorithm.md5
        let expected = md5.digest(of: "a\"b\\:r \"1\":p").flatMap { secret in md5.digest(of: "INVITE:sip:x").flatMap { md5.digest(of: "\(secret):n:\($0)") } }
        #expect(expected.map { value.contains("response=\"\($0)\"") } == true)
    }
}
