import NIOCore

/// Interarrival jitter (RFC 3550, A.8).
struct JitterMeter {
    private var last: (arrival: NIODeadline, timestamp: UInt32)?
    private(set) var clockRate: Int
    /// In timestamp units.
    private(set) var units = 0.0

    init(clockRate: Int) {
        self.clockRate = clockRate
    }

    var milliseconds: Double { units * 1_000 / Double(clockRate) }

    /// For the report block.
    var reported: UInt32 { UInt32(min(max(units, 0), Double(UInt32.max))) }

    mutating func receive(timestamp: UInt32, clockRate: Int, arrival: NIODeadline) {
        if clockRate != self.clockRate {
            self = JitterMeter(clockRate: clockRate)
        }
        defer { last = (arrival, timestamp) }
        guard let last else { return }
        let elapsed = Double((arrival - last.arrival).nanoseconds) * Double(clockRate) / 1e9
        let spoken = Double(Int32(bitPattern: timestamp &- last.timestamp))
        units += (abs(elapsed - spoken) - units) / 16
    }

    /// After a break the distance between two timestamps says nothing.
    mutating func interrupt() {
        last = nil
    }
}
