import Foundation
import Testing

@testable import Dialplan

@Suite("Hours of the week")
struct TimeWindowTests {
    @Test("inside", arguments: [
        ("mon-fri", "09:00-17:00", "America/New_York", "2026-11-23T09:00:00-05:00"),
        ("mon-fri", "09:00-17:00", "America/New_York", "2026-11-23T16:59:59-05:00"),
        // Summer time: the same hour of the wall clock, an hour earlier in UTC.
        ("mon-fri", "09:00-17:00", "America/New_York", "2026-07-06T13:00:00Z"),
        ("mon-fri", "09:00-17:00", "Europe/London", "2026-07-06T08:00:00Z"),
        ("fri", "22:00-06:00", "UTC", "2026-11-20T23:00:00Z"),
        ("fri", "22:00-06:00", "UTC", "2026-11-21T05:59:00Z"),
        ("sat-mon", nil, "UTC", "2026-11-22T12:00:00Z"),
        ("sat, SUN", nil, "UTC", "2026-11-22T12:00:00Z"),
        (nil, "00:00-24:00", "UTC", "2026-11-22T23:59:59Z"),
        ("thu", nil, "UTC", "1970-01-01T00:00:00Z"),
        ("wed", nil, "UTC", "1969-12-31T23:59:59Z"),
    ] as [(String?, String?, String, String)])
    func inside(days: String?, hours: String?, zone: String, moment: String) throws {
        let window = try TimeWindow(days: days, hours: hours, zone: zone)
        #expect(window.contains(try #require(RFC3339.parse(moment))))
    }

    @Test("outside", arguments: [
        ("mon-fri", "09:00-17:00", "America/New_York", "2026-11-23T17:00:00-05:00"),
        ("mon-fri", "09:00-17:00", "America/New_York", "2026-11-23T08:59:59-05:00"),
        ("mon-fri", "09:00-17:00", "America/New_York", "2026-07-06T12:59:00Z"),
        ("mon-fri", nil, "UTC", "2026-11-22T12:00:00Z"),
        ("fri", "22:00-06:00", "UTC", "2026-11-20T05:00:00Z"),
        ("fri", "22:00-06:00", "UTC", "2026-11-21T06:00:00Z"),
        ("fri", "22:00-06:00", "UTC", "2026-11-21T22:00:00Z"),
    ] as [(String?, String?, String, String)])
    func outside(days: String?, hours: String?, zone: String, moment: String) throws {
        let window = try TimeWindow(days: days, hours: hours, zone: zone)
        #expect(!window.contains(try #require(RFC3339.parse(moment))))
    }

    @Test("refused", arguments: [
        ("monday", "09:00-17:00", "UTC"), ("mon-", nil, "UTC"), ("mon-tue-wed", nil, "UTC"), ("", nil, "UTC"), ("mon,,tue", nil, "UTC"),
        (nil, "9:00-17:00", "UTC"), (nil, "09:00", "UTC"), (nil, "09:00-24:01", "UTC"), (nil, "24:00-09:00", "UTC"), (nil, "09:60-10:00", "UTC"),
        (nil, "09:00-09:00", "UTC"), (nil, "09:00-17:00 ", "UTC"), ("mon", nil, "Mars/Olympus"), ("mon", nil, "../../etc/passwd"), ("mon", nil, ""),
    ] as [(String?, String?, String)])
    func refused(days: String?, hours: String?, zone: String) {
        #expect(throws: TimeWindow.Malformed.self) { try TimeWindow(days: days, hours: hours, zone: zone) }
    }

    @Test("times beyond any calendar do not trap")
    func extremes() throws {
        let window = try TimeWindow(days: "mon", hours: nil, zone: "America/New_York")
        for seconds in [Double.greatestFiniteMagnitude, -Double.greatestFiniteMagnitude, .infinity, -.infinity, 1e15] {
            _ = window.contains(Date(timeIntervalSince1970: seconds))
            _ = window.localTime(Date(timeIntervalSince1970: seconds))
        }
    }
}

@Suite("RFC 3339")
struct RFC3339Tests {
    @Test("moments", arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2026-11-22T09:30:00+01:00", 1_795_336_200), ("2000-02-29T23:59:60Z", 951_868_800),
        ("1969-12-31T23:59:59Z", -1), ("2026-11-22T08:30:00.999Z", 1_795_336_200), ("2026-11-22t03:30:00-05:00", 1_795_336_200),
        ("0001-01-01T00:00:00Z", -62_135_596_800), ("9999-12-31T23:59:59Z", 253_402_300_799),
    ])
    func moments(text: String, seconds: Int) {
        #expect(RFC3339.parse(text) == Date(timeIntervalSince1970: TimeInterval(seconds)))
    }

    @Test("refused", arguments: [
        "", "now", "2026-11-22", "2026-11-22T09:30", "2026-11-22T09:30:00", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T09:60:00Z", "2026-11-22T09:30:61Z", "2026-11-22T09:30:00.Z",
        "2026-11-22T09:30:00+1:00", "2026-11-22T09:30:00+24:00", "2026-11-22T09:30:00Z ", "٢٠٢٦-11-22T09:30:00Z",
    ])
    func refused(text: String) {
        #expect(RFC3339.parse(text) == nil)
    }
}
