import NIOCore
import Testing

@testable import Gateway

@Suite("Limits that protect money")
struct CallLimitsTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private var trunk: Trunk {
        var trunk = Trunk(name: "acme")
        trunk.maxCalls = 3
        trunk.maxCallsPerSecond = 100
        return trunk
    }

    private func call(_ number: UInt64) throws -> CallID {
        try #require(CallID(hexadecimal(7) + hexadecimal(number)))
    }

    private func settings(paid: Int, destinations: Int) -> Configuration.Unauthenticated {
        var settings = Configuration.Unauthenticated()
        settings.paidCalls = paid
        settings.newDestinationsPerHour = destinations
        return settings
    }

    @Test("a trunk carries as many calls as it may, in both directions together")
    func trunkCalls() throws {
        var limits = CallLimits()
        #expect(limits.admit(try call(1), from: trunk, now: start) == nil)
        #expect(limits.admit(try call(2), by: trunk, to: "+14155550100", isAuthenticated: true, now: start) == nil)
        // In and out again by the same trunk: two places.
        #expect(limits.admit(try call(1), by: trunk, to: "+14155550100", isAuthenticated: true, now: start) == nil)
        let refusal = try #require(limits.admit(try call(3), from: trunk, now: start))
        #expect(refusal.limit == .trunkCalls && refusal.end.reason == .overload && refusal.end.sipStatus == 503)
        #expect(limits.refused == [.trunkCalls: 1])
        var other = trunk
        other.name = "other"
        #expect(limits.admit(try call(3), from: other, now: start) == nil)
        limits.end(try call(1))
        #expect(limits.admit(try call(4), from: trunk, now: start) == nil)
        #expect(limits.admit(try call(5), from: trunk, now: start) == nil)
        #expect(limits.admit(try call(6), from: trunk, now: start)?.limit == .trunkCalls)
    }

    @Test("a step that failed gives its place back, once")
    func leaving() throws {
        var limits = CallLimits(settings: settings(paid: 1, destinations: 9))
        var trunk = trunk
        trunk.maxCalls = 1
        #expect(limits.admit(try call(1), by: trunk, to: "+1", isAuthenticated: false, now: start) == nil)
        #expect(limits.admit(try call(2), by: trunk, to: "+1", isAuthenticated: false, now: start)?.limit == .paidCalls)
        limits.leave("acme", call: try call(1))
        limits.leave("acme", call: try call(1))
        limits.leave("nobody", call: try call(1))
        #expect(limits.admit(try call(2), by: trunk, to: "+1", isAuthenticated: false, now: start) == nil)
        limits.end(try call(1))
        #expect(limits.admit(try call(3), by: trunk, to: "+1", isAuthenticated: true, now: start)?.limit == .trunkCalls)
        limits.end(try call(2))
        limits.end(try call(2))
        #expect(limits.admit(try call(3), by: trunk, to: "+1", isAuthenticated: true, now: start) == nil)
    }

    @Test("a trunk begins as many calls in any second as it may")
    func rate() throws {
        var limits = CallLimits()
        var trunk = trunk
        trunk.maxCalls = 1000
        trunk.maxCallsPerSecond = 10
        for number in 0..<10 { #expect(limits.admit(try call(UInt64(number)), from: trunk, now: start + .milliseconds(900 + Int64(number))) == nil) }
        // Another second of the clock, the same second of the trunk.
        let refusal = try #require(limits.admit(try call(10), from: trunk, now: start + .milliseconds(1100)))
        #expect(refusal.limit == .trunkRate && refusal.end.reason == .overload)
        #expect(limits.admit(try call(11), by: trunk, to: "+1", isAuthenticated: true, now: start + .milliseconds(1899))?.limit == .trunkRate)
        #expect(limits.admit(try call(11), from: trunk, now: start + .milliseconds(1900)) == nil)
        #expect(limits.admit(try call(12), from: trunk, now: start + .milliseconds(1900))?.limit == .trunkRate)
    }

    @Test("open browsers pay for so many calls at a time, others for what they like")
    func paidCalls() throws {
        var limits = CallLimits(settings: settings(paid: 2, destinations: 100))
        var trunk = trunk
        trunk.maxCalls = 100
        #expect(limits.admit(try call(1), by: trunk, to: "+1", isAuthenticated: false, now: start) == nil)
        #expect(limits.admit(try call(2), by: trunk, to: "+1", isAuthenticated: false, now: start) == nil)
        // A call that goes on to another trunk is not a second one.
        #expect(limits.admit(try call(2), by: trunk, to: "+1", isAuthenticated: false, now: start) == nil)
        let refusal = try #require(limits.admit(try call(3), by: trunk, to: "+1", isAuthenticated: false, now: start))
        #expect(refusal.limit == .paidCalls && refusal.end.reason == .refused && refusal.end.sipStatus == 403)
        #expect(limits.admit(try call(4), by: trunk, to: "+1", isAuthenticated: true, now: start) == nil)
        limits.end(try call(1))
        #expect(limits.admit(try call(3), by: trunk, to: "+1", isAuthenticated: false, now: start) == nil)
        limits.replace(settings(paid: 0, destinations: 0))
        #expect(limits.admit(try call(5), by: trunk, to: "+1", isAuthenticated: false, now: start)?.limit == .paidCalls)
    }

    @Test("open browsers call so many different numbers an hour")
    func destinations() throws {
        var limits = CallLimits(settings: settings(paid: 1000, destinations: 2))
        var trunk = trunk
        trunk.maxCalls = 1000
        func dial(_ number: String, after minutes: Int64) throws -> CallLimits.Limit? {
            limits.admit(try call(UInt64(minutes) << 32 | UInt64(number.hashValue & 0xFFFF)), by: trunk, to: number, isAuthenticated: false, now: start + .minutes(minutes))?.limit
        }
        #expect(try dial("+1", after: 0) == nil)
        #expect(try dial("+2", after: 30) == nil)
        #expect(try dial("+3", after: 31) == .newDestinations)
        #expect(try dial("+1", after: 59) == nil)
        // The first hour of +1 is over: it counts anew, and only one other is left.
        #expect(try dial("+3", after: 60) == nil)
        #expect(try dial("+1", after: 61) == .newDestinations)
        #expect(try dial("+1", after: 90) == nil)
        #expect(limits.refused == [.newDestinations: 2])
    }

    @Test("a refused call leaves nothing behind")
    func refusedCalls() throws {
        var limits = CallLimits(settings: settings(paid: 5, destinations: 1))
        var full = trunk
        full.maxCalls = 0
        // The trunk was full: neither the budget nor the number was used.
        #expect(limits.admit(try call(1), by: full, to: "+1", isAuthenticated: false, now: start)?.limit == .trunkCalls)
        #expect(limits.admit(try call(2), by: trunk, to: "+2", isAuthenticated: false, now: start) == nil)
        #expect(limits.admit(try call(3), by: trunk, to: "+3", isAuthenticated: false, now: start)?.limit == .newDestinations)
        #expect(limits.admit(try call(4), by: trunk, to: "+2", isAuthenticated: false, now: start) == nil)
    }

    @Test("the window of destinations never holds more than was admitted, and forgets after an hour")
    func window() {
        var window = DestinationWindow()
        for number in 0..<500 { window.add("+\(number % 50)", now: start + .seconds(Int64(number))) }
        #expect(window.count(now: start + .seconds(500)) == 50)
        let (before, after) = (start + .seconds(3609), start + .seconds(3649))
        #expect(window.count(now: before) == 40)
        #expect(window.count(now: after) == 0)
    }

    @Test("the end of a call that lasted as long as its route allows")
    func minutes() {
        var limits = CallLimits()
        let end = limits.endAfter(minutes: 1)
        #expect(end.reason == .refused && end.detail == "The route allows 1 minute for a call.")
        #expect(limits.refused == [.minutes: 1])
    }
}
