import NIOCore

/// One call of the load: its two ends, or one end that hears itself.
final class LoadCall {
    let number: Int
    let browser: LoadLeg
    let phone: LoadLeg

    var legs: [LoadLeg] { [browser, phone] }

    init(number: Int, browser: LoadLeg, phone: LoadLeg) {
        self.number = number
        self.browser = browser
        self.phone = phone
        browser.far = phone
        phone.far = browser
    }

    private(set) var hasBegun = false

    var isReady: Bool { legs.allSatisfy(\.isReady) }

    /// Both ends talk, at a place of their own in the 20 ms.
    func begin(now: NIODeadline) {
        hasBegun = true
        for (index, leg) in legs.enumerated() { leg.begin(at: now + .microseconds(Int64((number * 7919 + index * 3571) % 20_000))) }
    }
}
