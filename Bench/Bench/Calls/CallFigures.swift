/// What one window of one gateway showed.
struct CallFigures {
    /// CPU-ms of the gateway per second of one call.
    let cpuPerCallSecond: Double
    /// The same of the load generator.
    let ownCPUPerCallSecond: Double
    /// MB.
    let memoryPerCall: Double
    /// Milliseconds added from browser to phone.
    let delaysToPhone: [Double]
    let delaysToBrowser: [Double]
    let sent: Int
    let lost: Int
    /// Frames that the generator sent late.
    let late: Int
    /// Legs that heard nothing, or next to nothing.
    let silent: [String]

    init(calls: [LoadCall], cpuPerCallSecond: Double, ownCPUPerCallSecond: Double, memoryPerCall: Double) {
        self.cpuPerCallSecond = cpuPerCallSecond
        self.ownCPUPerCallSecond = ownCPUPerCallSecond
        self.memoryPerCall = memoryPerCall
        delaysToPhone = calls.compactMap(\.phone).flatMap(\.delays)
        delaysToBrowser = calls.compactMap(\.browser).flatMap(\.delays)
        let legs = calls.flatMap(\.legs)
        sent = legs.reduce(0) { $0 + $1.counts.sent }
        lost = legs.reduce(0) { $0 + max($1.counts.lost, $1.undelivered) }
        late = legs.reduce(0) { $0 + $1.counts.late }
        silent = calls.flatMap { call in
            [("browser", call.browser), ("phone", call.phone)].compactMap { name, leg in
                guard let counts = leg?.counts, counts.received * 2 < counts.sent else { return nil }
                return "the \(name) of call \(call.number) sent \(counts.sent) packets and got \(counts.received)"
            }
        }
    }
}
