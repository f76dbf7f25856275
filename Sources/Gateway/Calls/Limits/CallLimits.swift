import Dialplan
import NIOCore

/// The limits that protect money, as an engine: how many calls a trunk carries and begins, and what callers who prove
/// nothing about themselves may cost. It counts what it admitted, so every admitted call is ended here too.
///
/// Browsers prove something with `browser.auth`. A call that comes in by a trunk is the business of a carrier that the
/// administrator listed: its own limits bind it, not the budget.
struct CallLimits: Sendable {
    /// Which limit refused a call: a label of `tandem_refused_total`.
    enum Limit: String, Sendable, CaseIterable {
        case trunkCalls = "trunk_calls"
        case trunkRate = "trunk_rate"
        case paidCalls = "paid_calls"
        case newDestinations = "new_destinations"
        case minutes = "max_minutes"
        /// Not of money: the media loops are full.
        case overload
    }

    /// A call that may not be.
    struct Refusal: Error, Sendable, Equatable {
        var limit: Limit
        /// `overload` where a trunk is full, `refused` where the budget or the route says no.
        var end: CallEnd
    }

    /// How many calls each limit refused since the start.
    private(set) var refused: [Limit: Int] = [:]
    private var settings: Configuration.Unauthenticated
    /// The trunks a call occupies; one that comes in and leaves by the same trunk occupies it twice.
    private var trunksOf: [CallID: [String]] = [:]
    /// How many calls each trunk carries.
    private(set) var callsOn: [String: Int] = [:]
    private var rates: [String: CallRate] = [:]
    /// Paid calls of callers without authentication.
    private var paid: Set<CallID> = []
    private var destinations = DestinationWindow()

    init(settings: Configuration.Unauthenticated = .init()) {
        self.settings = settings
    }

    /// New limits apply to new calls.
    mutating func replace(_ settings: Configuration.Unauthenticated) {
        self.settings = settings
    }

    /// A call wants to come in by a trunk. Counts it if it may.
    mutating func admit(_ call: CallID, from trunk: Trunk, now: NIODeadline) -> Refusal? {
        occupy(trunk, for: call, now: now)
    }

    /// A call wants to leave by a trunk. Counts it if it may: the trunk first, then the budget of callers without authentication.
    /// - Parameters:
    ///   - isAuthenticated: false for a browser that did not have to prove anything.
    ///   - number: what is dialled.
    mutating func admit(_ call: CallID, by trunk: Trunk, to number: String, isAuthenticated: Bool, now: NIODeadline) -> Refusal? {
        if !isAuthenticated {
            if !paid.contains(call), paid.count >= settings.paidCalls {
                return refuse(.paidCalls, CallEnd(.refused, detail: "Callers who did not sign in have as many calls to the phone network as they may have."))
            }
            if !destinations.holds(number, now: now), destinations.count(now: now) >= settings.newDestinationsPerHour {
                return refuse(
                    .newDestinations, CallEnd(.refused, detail: "Callers who did not sign in called as many numbers within an hour as they may."))
            }
        }
        if let refusal = occupy(trunk, for: call, now: now) { return refusal }
        if !isAuthenticated {
            paid.insert(call)
            destinations.add(number, now: now)
        }
        return nil
    }

    /// A trunk did not take the call: its place is free again, while the call goes on to its next step.
    mutating func leave(_ trunk: String, call: CallID) {
        guard var trunks = trunksOf[call], let index = trunks.lastIndex(of: trunk) else { return }
        trunks.remove(at: index)
        trunksOf[call] = trunks.isEmpty ? nil : trunks
        // Nobody pays for it while it is on no trunk.
        if trunks.isEmpty { paid.remove(call) }
        release(trunk)
    }

    /// The call is over; legal for calls that were never admitted.
    mutating func end(_ call: CallID) {
        for trunk in trunksOf.removeValue(forKey: call) ?? [] { release(trunk) }
        paid.remove(call)
    }

    /// A call is refused because the media loops are full; counted.
    mutating func noTime() -> CallEnd {
        refused[.overload, default: 0] += 1
        return CallEnd(.overload)
    }

    /// The end of a call that lasted as long as its route allows; counted.
    mutating func endAfter(minutes: Int) -> CallEnd {
        refused[.minutes, default: 0] += 1
        return CallEnd(.refused, detail: "The route allows \(minutes) minute\(minutes == 1 ? "" : "s") for a call.")
    }

    private mutating func occupy(_ trunk: Trunk, for call: CallID, now: NIODeadline) -> Refusal? {
        if callsOn[trunk.name, default: 0] >= trunk.maxCalls {
            return refuse(.trunkCalls, CallEnd(.overload, detail: "The trunk has as many calls as it may have."))
        }
        guard rates[trunk.name, default: CallRate()].admit(limit: trunk.maxCallsPerSecond, now: now) else {
            return refuse(.trunkRate, CallEnd(.overload, detail: "The trunk begins more calls in a second than it may."))
        }
        callsOn[trunk.name, default: 0] += 1
        trunksOf[call, default: []].append(trunk.name)
        return nil
    }

    private mutating func release(_ trunk: String) {
        let left = callsOn[trunk, default: 1] - 1
        callsOn[trunk] = left == 0 ? nil : left
    }

    private mutating func refuse(_ limit: Limit, _ end: CallEnd) -> Refusal {
        refused[limit, default: 0] += 1
        return Refusal(limit: limit, end: end)
    }
}
