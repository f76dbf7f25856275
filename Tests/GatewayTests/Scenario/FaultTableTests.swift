import Foundation
import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Every fault in every dialect, judged by what the caller hears: no click, no stale speech, no silence beyond 300 ms where the agent was
/// lost, and nothing left afterwards.
@Suite struct FaultTableTests {
    enum Fault: CaseIterable {
        case refusesTheSocket, neverAccepts, diesGreeting, diesListening, diesTalking, diesClearing
        case readsNothing, burstThenClear, fiftyMarksASecond, thousandClears, garbage, megabytes
    }

    struct Case: CustomTestStringConvertible {
        var fault: Fault
        var dialect: Agent.AgentProtocol
        var testDescription: String { "\(fault) \(dialect)" }

        /// Dialects without a message that accepts cannot withhold it; the realtime service knows no marks.
        static let all: [Case] = Fault.allCases.flatMap { fault in
            Agent.AgentProtocol.allCases.filter { $0 != .pipecat }.map { Case(fault: fault, dialect: $0) }
        }.filter { row in
            switch row.fault {
            case .neverAccepts: row.dialect == .tandem || row.dialect == .openai
            case .fiftyMarksASecond: row.dialect != .openai
            default: true
            }
        }
    }

    @Test(arguments: Case.all) func theCallerHearsNothingOfIt(_ row: Case) throws {
        let call = FaultCall(row.dialect, isReachable: row.fault != .refusesTheSocket, takesCalls: row.fault != .neverAccepts)
        switch row.fault {
        case .refusesTheSocket, .neverAccepts: call.expectStandby(within: .seconds(5))
        case .diesGreeting, .diesListening, .diesTalking, .diesClearing: try dies(row.fault, call)
        case .readsNothing: try readsNothing(call)
        case .burstThenClear: try burstThenClear(call)
        case .fiftyMarksASecond: try fiftyMarks(call)
        case .thousandClears: try thousandClears(call)
        case .garbage: try garbage(call)
        case .megabytes: try megabytes(call)
        }
        call.expectNoClick()
        call.phone.hangUp()
        EndOfCallTests.expectNothingLeft(call.gateway)
    }

    private func dies(_ fault: Fault, _ call: FaultCall) throws {
        let agent = try call.answered()
        if fault != .diesListening { agent.say(FaultCall.tone(hertz: 150, seconds: 30, rate: agent.rate)) }
        call.run(fault == .diesGreeting ? 130 : 700)
        if fault == .diesClearing { agent.clear() }
        agent.die()
        // Those that may come back to the call are waited for, and what they said is heard to its end: here it has none.
        let waits = agent.dialect == .tandem || agent.dialect == .openai
        let died = call.gateway.now
        call.expectStandby(within: .seconds(waits ? 17 : 3))
        call.expectSound(from: died, until: call.gateway.now)
    }

    private func readsNothing(_ call: FaultCall) throws {
        let agent = try call.answered()
        agent.socket?.isWritable = false
        agent.say(FaultCall.tone(hertz: 150, seconds: 14, rate: agent.rate))
        let began = call.gateway.now
        call.gateway.run(for: .seconds(12)) { agent.socket?.closeCode != nil }
        if agent.dialect == .tandem {
            #expect(agent.socket?.closeCode == 4429)
            call.expectStandby(within: .seconds(3))
        } else {
            #expect(agent.socket?.isUp == true)
        }
        call.expectSound(from: began + .milliseconds(200), until: call.gateway.now)
    }

    private func burstThenClear(_ call: FaultCall) throws {
        let agent = try call.answered()
        agent.say(FaultCall.tone(hertz: 150, seconds: 30, rate: agent.rate))
        call.run(1000)
        agent.clear()
        let cleared = call.gateway.now
        call.run(400)
        call.expectSilence(from: cleared + .milliseconds(45), until: call.gateway.now)
        try call.expectHeard(agent)
        // And in the middle of a slot's speech, with the next answer at once behind it.
        agent.say(FaultCall.tone(hertz: 150, seconds: 5, rate: agent.rate))
        call.run(500)
        agent.clear()
        try call.expectHeard(agent)
    }

    private func fiftyMarks(_ call: FaultCall) throws {
        let agent = try call.answered()
        let tone = FaultCall.tone(hertz: 150, seconds: 2, rate: agent.rate)
        let began = call.gateway.now
        for piece in 0..<100 {
            agent.say(Array(tone[(piece * agent.rate / 50)..<((piece + 1) * agent.rate / 50)]))
            agent.mark("m\(piece)")
        }
        call.run(2300)
        #expect(agent.marks == (0..<100).map { "m\($0)" })
        call.expectSound(from: began + .milliseconds(100), until: began + .milliseconds(2000), longest: .milliseconds(25))
    }

    private func thousandClears(_ call: FaultCall) throws {
        let agent = try call.answered()
        let burst = FaultCall.tone(hertz: 150, seconds: 0.1, rate: agent.rate)
        for cycle in 1...1000 {
            agent.say(burst)
            if cycle % 20 == 0 { call.run(45) }
            agent.clear()
        }
        let cleared = call.gateway.now
        call.run(300)
        call.expectSilence(from: cleared + .milliseconds(45), until: call.gateway.now)
        try call.expectHeard(agent)
    }

    private func garbage(_ call: FaultCall) throws {
        let agent = try call.answered()
        var generator = SeededGenerator(seed: 11)
        let before = call.gateway.now
        for count in 1...200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            agent.post(String(decoding: bytes, as: UTF8.self))
            // An even number of bytes is sound to Vonage's dialect, whatever they are.
            if agent.dialect != .tandem { agent.socket?.post(binary: agent.dialect == .vonage ? bytes + (count % 2 == 0 ? [0] : []) : bytes) }
        }
        for text in ["{", "[]", "null", #"{"event":7}"#, #"{"event":"media"}"#, #"{"type":"response.output_audio.delta"}"#, #"{"action":[]}"#] {
            agent.post(text)
        }
        call.run(500)
        call.expectSilence(from: before, until: call.gateway.now, unless: agent.dialect == .tandem)
        if agent.socket?.isUp == true { try call.expectHeard(agent) } else { call.expectStandby(within: .seconds(3)) }
    }

    private func megabytes(_ call: FaultCall) throws {
        let agent = try call.answered()
        agent.post(String(repeating: "[", count: 1 << 20))
        agent.post(#"{"event":"\#(String(repeating: "x", count: 1 << 20))"}"#)
        guard agent.dialect != .tandem else {
            agent.socket?.post(binary: [1] + [UInt8](repeating: 0, count: 1 << 20))
            #expect(agent.socket?.closeCode == 4400)
            return call.expectStandby(within: .seconds(3))
        }
        let began = call.gateway.now
        agent.say(FaultCall.tone(hertz: 150, seconds: agent.dialect == .vonage ? 32.768 : 98.304, rate: agent.rate))
        call.run(1000)
        call.expectSound(from: began + .milliseconds(100), until: call.gateway.now, longest: .milliseconds(25))
        agent.clear()
        let cleared = call.gateway.now
        call.run(300)
        call.expectSilence(from: cleared + .milliseconds(45), until: call.gateway.now)
        try call.expectHeard(agent)
    }
}
