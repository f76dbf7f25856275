import Glibc

/// A moment of wall-clock time as the log writes it (RFC 3339, UTC, milliseconds).
struct LogTime: CustomStringConvertible, Sendable {
    /// Since 1970-01-01T00:00:00Z.
    var milliseconds: Int64

    init(milliseconds: Int64) { self.milliseconds = milliseconds }

    static var now: LogTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return LogTime(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// `2026-11-22T18:00:00.123Z`
    var description: String {
        var seconds = time_t(milliseconds / 1000), fields = tm()
        gmtime_r(&seconds, &fields)
        let date = "\(Self.padded(Int(fields.tm_year) + 1900, 4))-\(Self.padded(Int(fields.tm_mon) + 1, 2))-\(Self.padded(Int(fields.tm_mday), 2))"
        let time = "\(Self.padded(Int(fields.tm_hour), 2)):\(Self.padded(Int(fields.tm_min), 2)):\(Self.padded(Int(fields.tm_sec), 2))"
        return "\(date)T\(time).\(Self.padded(Int(milliseconds % 1000), 3))Z"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
