import NIOCore
import RTCStack
import RTP
import TestKit
import Testing

/// Answers of the lite agent to good and bad checks.
@Suite struct ICEAgentTests {
    private static let credentials = ICECredentials(ufrag: "ours", password: "ourpasswordourpassword12")
    private static let source = TransportAddress(ipv4: 0xC000_0201, port: 5000)

    private struct Check {
        var username: String? = "ours:theirs"
        var password: String? = ICEAgentTests.credentials.password
        var priority: UInt32? = 1000
        var nominates = false
        var controlled = false
        var extra: [UInt16] = []
        var messageClass = STUNMessage.Class.request
        var method = STUNMessage.bindingMethod
    }

    private struct Answer {
        var result: ICEAgent.Result
        var code: Int?
        var isSuccess = false
        var isSigned = false
        var bytes: [UInt8] = []
    }

    private func send(_ check: Check, to agent: inout ICEAgent, from: TransportAddress = Self.source, at seconds: Int64 = 1) -> Answer {
        let request = UnsafeMutableRawBufferPointer.allocate(byteCount: 512, alignment: 8)
        let answer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 8)
        defer {
            request.deallocate()
            answer.deallocate()
        }
        var writer = [UInt8](repeating: 9, count: 12).withUnsafeBytes {
            STUNWriter(request, check.messageClass, method: check.method, transaction: $0)
        }
        if let username = check.username { writer.append(STUNAttribute.username, username.utf8) }
        if let priority = check.priority { writer.append(STUNAttribute.priority, priority) }
        if check.nominates { writer.append(STUNAttribute.useCandidate, EmptyCollection()) }
        writer.append(check.controlled ? STUNAttribute.iceControlled : STUNAttribute.iceControlling, UInt64(1))
        for type in check.extra { writer.append(type, [1]) }
        if let password = check.password { writer.appendIntegrity(password: Array(password.utf8)) }
        writer.appendFingerprint()
        guard let message = STUNMessage(UnsafeRawBufferPointer(rebasing: request[..<writer.length])) else {
            Issue.record("the check is malformed")
            return Answer(result: .init())
        }
        let now = NIODeadline.uptimeNanoseconds(0) + .seconds(seconds)
        let result = agent.receive(message, from: from, now: now, answer: answer)
        guard result.answerLength > 0 else { return Answer(result: result) }
        let bytes = UnsafeRawBufferPointer(rebasing: answer[..<result.answerLength])
        let reply = STUNMessage(bytes)
        return Answer(
            result: result, code: reply?.errorCode, isSuccess: reply?.messageClass == .success,
            isSigned: reply?.isAuthentic(password: Array(Self.credentials.password.utf8)) ?? false, bytes: Array(bytes))
    }

    @Test func success() {
        var agent = ICEAgent(local: Self.credentials)
        let first = send(Check(), to: &agent)
        #expect(first.isSuccess && first.isSigned && first.result.isAuthentic && first.result.isNewAddress)
        #expect(!first.result.selectionChanged && agent.selectedAddress == nil && agent.latestAddress == Self.source)
        let second = send(Check(nominates: true), to: &agent)
        #expect(second.isSuccess && !second.result.isNewAddress && second.result.selectionChanged)
        #expect(agent.selectedAddress == Self.source)
        // An old agent names no role.
        #expect(send(Check(username: "ours:"), to: &agent).isSuccess)
    }

    @Test func refusals() {
        var agent = ICEAgent(local: Self.credentials)
        for (check, code, isSigned) in [
            (Check(username: nil), 400, false), (Check(password: nil), 400, false), (Check(username: nil, password: nil), 400, false),
            (Check(username: "other:theirs"), 401, false), (Check(username: "ours"), 401, false), (Check(username: ":ours"), 401, false),
            (Check(username: "ours2:theirs"), 401, false), (Check(username: ""), 401, false),
            (Check(password: "wrong"), 401, false), (Check(priority: nil), 400, true), (Check(controlled: true), 487, true),
            (Check(extra: [0x0033]), 420, true),
        ] {
            let answer = send(check, to: &agent)
            #expect(answer.code == code, "\(check)")
            #expect(answer.isSigned == isSigned, "\(check)")
            #expect(answer.result.isAuthentic == isSigned && answer.result.isRefused && !answer.result.isNewAddress)
        }
        #expect(!agent.isValidated(Self.source))
    }

    @Test func unknownAttributesAreNamed() {
        var agent = ICEAgent(local: Self.credentials)
        let answer = send(Check(extra: [0x0033, 0xC057, 0x7FFF]), to: &agent)
        #expect(answer.code == 420)
        let named: [UInt8] = [0x00, 0x0A, 0x00, 0x04, 0x00, 0x33, 0x7F, 0xFF]
        #expect((0...(answer.bytes.count - named.count)).contains { Array(answer.bytes[$0..<($0 + named.count)]) == named })
        // From 0x8000 up they are optional: Chrome sends some.
        #expect(send(Check(extra: [0xC057, 0xC001]), to: &agent).isSuccess)
        // As many as fit a check; the answer still fits its storage.
        #expect(send(Check(extra: (0..<40).map { 0x4000 + $0 }), to: &agent).code == 420)
    }

    @Test func otherMessagesAreNotAnswered() {
        var agent = ICEAgent(local: Self.credentials)
        for check in [
            Check(messageClass: .indication), Check(messageClass: .success), Check(messageClass: .failure), Check(method: 3),
        ] {
            #expect(send(check, to: &agent).result == .init(isRefused: true))
        }
    }

    /// The latest nomination wins; of two in one turn the one of higher priority.
    @Test func nominations() {
        var agent = ICEAgent(local: Self.credentials)
        let other = TransportAddress(ipv4: 0xC000_0202, port: 5000)
        _ = send(Check(priority: 100, nominates: true), to: &agent, at: 1)
        #expect(!send(Check(priority: 50, nominates: true), to: &agent, from: other, at: 1).result.selectionChanged)
        #expect(agent.selectedAddress == Self.source)
        #expect(send(Check(priority: 50, nominates: true), to: &agent, from: other, at: 2).result.selectionChanged)
        #expect(agent.selectedAddress == other)
        #expect(send(Check(priority: 100, nominates: true), to: &agent, at: 2).result.selectionChanged)
        #expect(agent.selectedAddress == Self.source)
        _ = send(Check(priority: 900), to: &agent, from: other, at: 3)
        #expect(agent.selectedAddress == Self.source)
    }

    /// However many addresses come, a bounded number is remembered, and the one in use is among them.
    @Test func addressesAreBounded() {
        var agent = ICEAgent(local: Self.credentials)
        _ = send(Check(nominates: true), to: &agent, at: 1)
        let many = (0..<UInt16(100)).map { TransportAddress(ipv4: 0x0A00_0001, port: 1000 + $0) }
        for (index, address) in many.enumerated() {
            #expect(send(Check(), to: &agent, from: address, at: Int64(2 + index)).result.isNewAddress)
        }
        #expect(agent.isValidated(Self.source))
        #expect(many.filter { agent.isValidated($0) } == Array(many.suffix(ICEAgent.addressLimit - 1)))
    }

    @Test func restarts() {
        var agent = ICEAgent(local: Self.credentials)
        let second = ICECredentials(ufrag: "two", password: "two2two2two2two2two2two2")
        agent.restart(local: second)
        agent.restart(local: second)
        #expect(agent.local == second && agent.localUfrags == ["two", Self.credentials.ufrag])
        #expect(send(Check(), to: &agent).isSuccess)
        #expect(send(Check(username: "two:theirs", password: second.password), to: &agent).isSuccess)
        #expect(send(Check(), to: &agent).code == 401)
        #expect(agent.localUfrags == ["two"])
    }

    @Test func randomCredentials() {
        var generator = SeededGenerator(seed: 1)
        let (one, two) = (ICECredentials.random(using: &generator), ICECredentials.random(using: &generator))
        #expect(one != two)
        #expect(one.ufrag.utf8.count == 8 && one.password.utf8.count == 24)
    }
}
