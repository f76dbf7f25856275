import NIOCore

/// One call of the load: its two ends, or one end that hears itself.
final class LoadCall {
    let number: Int
    /// Nil where a phone talks to an agent.
    let browser: LoadLeg?
    /// Nil where a browser talks to an agent.
    let phone: LoadLeg?

    var legs: [LoadLeg] { [browser, phone].compactMap { $0 } }

    init(number: Int, browser: LoadLeg, phone: LoadLeg) {
        self.number = number
        self.browser = browser
        self.phone = phone
        browser.far = phone
        phone.far = browser
    }

    /// With an agent that sends back what it hears.
    init(number: Int, echoing caller: LoadLeg, isBrowser: Bool) {
        self.number = number
        browser = isBrowser ? caller : nil
        phone = isBrowser ? nil : caller
        caller.far = caller
    }

    private(set) var hasBegun = false

    var isReady: Bool { legs.allSatisfy(\.isReady) }

    /// Both ends talk, at a place of their own in the 20 ms.
    func begin(now: NIODeadline) {
        hasBegun = true
        for (index, leg) in legs.enumerated() { leg.begin(at: now + .microseconds(Int64((number * 7919 + index * 3571) % 20_000))) }
    }
}
