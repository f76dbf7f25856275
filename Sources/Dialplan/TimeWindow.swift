import Foundation

/// Hours of the week in a time zone, daylight saving included.
///
/// Hours run from the first time up to, not including, the second. A window whose end comes before its beginning runs
/// past midnight and belongs to the day it began on: `fri`, `22:00-06:00` ends on Saturday morning.
public struct TimeWindow: Sendable, Hashable, CustomStringConvertible {
    public struct Malformed: Error, Equatable {
        public let reason: String
    }

    private static let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    /// Bit 0 is Monday.
    private let days: UInt8
    /// Minutes since midnight.
    private let begin: Int
    private let end: Int
    private let zone: TimeZone
    public let description: String

    /// - Parameters:
    ///   - days: `mon-fri`, `sat,sun`, `sat-mon`; nil for every day.
    ///   - hours: `09:00-17:00`; nil for the whole day.
    ///   - zone: of the IANA database, such as `America/New_York`.
    public init(days: String?, hours: String?, zone: String) throws(Malformed) {
        self.days = try days.map(TimeWindow.parseDays) ?? 0b111_1111
        (begin, end) = try hours.map(TimeWindow.parseHours) ?? (0, 24 * 60)
        let isName = zone.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || "/_+-".utf8.contains(byte)
        }
        guard isName, let found = TimeZone(identifier: zone) else {
            throw Malformed(reason: "zone must be a name such as Europe/London, not \(YAMLNode.quote(zone))")
        }
        self.zone = found
        description = [days, hours, zone].compactMap { $0 }.joined(separator: " ")
    }

    /// Whether a moment falls into the window.
    public func contains(_ time: Date) -> Bool {
        let (day, minute) = local(time)
        return isOpen(day, minute)
    }

    private func isOpen(_ day: Int, _ minute: Int) -> Bool {
        if begin < end { return isOn(day) && minute >= begin && minute < end }
        return (isOn(day) && minute >= begin) || (isOn((day + 6) % 7) && minute < end)
    }

    /// Every moment of the week.
    var isAlways: Bool {
        days == 0b111_1111 && begin == 0 && end == 24 * 60
    }

    /// Whether every moment of the other window is one of this. Zones differ in ways that change, so windows of different
    /// ones are only compared if this one is always.
    func contains(_ other: TimeWindow) -> Bool {
        if isAlways { return true }
        guard zone == other.zone else { return false }
        return (0..<7).allSatisfy { day in
            (0..<24 * 60).allSatisfy { minute in !other.isOpen(day, minute) || isOpen(day, minute) }
        }
    }

    /// The moment as the window's zone writes it: `tue 09:30`.
    func localTime(_ time: Date) -> String {
        let (day, minute) = local(time)
        func twoDigits(_ value: Int) -> String { (value < 10 ? "0" : "") + String(value) }
        return "\(TimeWindow.names[day]) \(twoDigits(minute / 60)):\(twoDigits(minute % 60))"
    }

    private func isOn(_ day: Int) -> Bool {
        days & (1 << day) != 0
    }

    /// Day of the week from Monday, and minutes since midnight.
    private func local(_ time: Date) -> (day: Int, minute: Int) {
        // Some ten thousand years around now: no calendar reaches further, and the conversion below cannot overflow.
        let seconds = Int(min(max(time.timeIntervalSince1970.rounded(.down), -1e11), 1e11)) + zone.secondsFromGMT(for: time)
        let minutes = Int((Double(seconds) / 60).rounded(.down))
        let days = Int((Double(minutes) / 1440).rounded(.down))
        // 1970-01-01 was a Thursday.
        return (((days + 3) % 7 + 7) % 7, minutes - days * 1440)
    }

    private static func parseDays(_ text: String) throws(Malformed) -> UInt8 {
        let malformed = Malformed(reason: "days must be written like mon-fri or sat,sun, not \(YAMLNode.quote(text))")
        var result: UInt8 = 0
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
            guard ends.count <= 2, let first = ends.first.flatMap(names.firstIndex), let last = ends.last.flatMap(names.firstIndex) else {
                throw malformed
            }
            var day = first
            result |= 1 << day
            while day != last {
                day = (day + 1) % 7
                result |= 1 << day
            }
        }
        return result
    }

    private static func parseHours(_ text: String) throws(Malformed) -> (Int, Int) {
        var scanner = DigitScanner(text)
        guard let beginHour = scanner.number(2), scanner.take(":"), let beginMinute = scanner.number(2), scanner.take("-"),
            let endHour = scanner.number(2), scanner.take(":"), let endMinute = scanner.number(2), scanner.isAtEnd,
            beginHour < 24, beginMinute < 60, endHour < 24 && endMinute < 60 || endHour == 24 && endMinute == 0
        else { throw Malformed(reason: "hours must be written like 09:00-17:00, not \(YAMLNode.quote(text))") }
        let begin = beginHour * 60 + beginMinute, end = endHour * 60 + endMinute
        guard begin != end else { throw Malformed(reason: "hours begin and end at the same time; leave them out for the whole day") }
        return (begin, end)
    }
}
