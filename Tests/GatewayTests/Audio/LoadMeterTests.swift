import NIOCore
import Testing

@testable import Gateway

@Suite struct LoadMeterTests {
    private static func window(busy: Int64 = 300, slots: Int = 1000, missed: Int = 0) -> LoadMeter.Window {
        LoadMeter.Window(busy: .milliseconds(busy), length: .seconds(1), slots: slots, missed: missed)
    }

    /// Whether the loop is overloaded after each window; what `judge` says of changes is held against it.
    private static func verdicts(_ windows: [LoadMeter.Window], _ meter: LoadMeter = LoadMeter()) -> [Bool] {
        var meter = meter
        return windows.map { window in
            let before = meter.isOverloaded
            let hasChanged = meter.judge(window)
            #expect(hasChanged == (meter.isOverloaded != before))
            return meter.isOverloaded
        }
    }

    @Test func aThreadWithoutTimeTakesNoMoreUntilItWasGoodForAWhile() {
        let busy: [Int64] = [840, 860, 800, 740, 740, 740, 840]
        #expect(Self.verdicts(busy.map { Self.window(busy: $0) }) == [false, true, true, true, true, false, false])
    }

    @Test func onlyMissingThatLastsCounts() {
        // A machine that stood still for two seconds, and one that cannot keep up.
        let missed = [900, 900, 0, 60, 60, 60, 0, 0, 0]
        #expect(Self.verdicts(missed.map { Self.window(missed: $0) }) == [false, false, false, false, false, true, true, true, false])
    }

    @Test func betweenTheLimitsNothingChanges() {
        let between = [LoadMeter.Window](repeating: Self.window(busy: 800, missed: 30), count: 10)
        #expect(Self.verdicts(between) == [Bool](repeating: false, count: 10))
        #expect(Self.verdicts([Self.window(busy: 900)] + between) == [Bool](repeating: true, count: 11))
    }

    @Test func noCallsMissNothing() {
        #expect(Self.verdicts([LoadMeter.Window](repeating: Self.window(busy: 1, slots: 0), count: 5)) == [Bool](repeating: false, count: 5))
    }
}
