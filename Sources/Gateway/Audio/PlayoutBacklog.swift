import NIOCore

/// Finds a queue that never shrinks while the agent sends in real time: standing delay, which quiet frames may pay for.
struct PlayoutBacklog {
    private let rate: Int
    private var windowStart: NIODeadline?
    private var smallest = Int.max
    private var arrivals = 0
    /// True while frames may be dropped.
    private(set) var isExcessive = false

    private static let window = TimeAmount.seconds(5)
    /// Standing queue above the hold that is worth cutting, in milliseconds.
    private static let tolerance = 40
    /// Frames below this level in dBFS can be dropped unheard.
    static let quietLevel: Float = -50

    init(rate: Int) {
        self.rate = rate
    }

    mutating func reset() {
        windowStart = nil
        smallest = .max
        arrivals = 0
        isExcessive = false
    }

    mutating func arrived(_ samples: Int) { arrivals += samples }

    mutating func observe(queued: Int, holdMilliseconds: Int, now: NIODeadline) {
        let queuedMilliseconds = queued * 1000 / rate
        if isExcessive, queuedMilliseconds <= holdMilliseconds { isExcessive = false }
        guard let start = windowStart else {
            windowStart = now
            return
        }
        smallest = min(smallest, queuedMilliseconds)
        guard now - start >= Self.window else { return }
        let realTime = Int((now - start).nanoseconds / 1_000_000) * rate / 1000
        let isPaced = arrivals * 5 >= realTime * 4 && arrivals * 5 <= realTime * 6
        if isPaced, smallest > holdMilliseconds + Self.tolerance { isExcessive = true }
        windowStart = now
        smallest = .max
        arrivals = 0
    }
}
