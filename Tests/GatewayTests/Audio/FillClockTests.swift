import NIOCore
import Testing

@testable import Gateway

/// A packet is waited for as long as its predecessor's length lets expect, and no longer.
@Suite struct FillClockTests {
    private static let rate = 8000

    /// Milliseconds after the last packet at which a sender that stops is filled in for, its packets having come on time.
    /// - Parameter learnt: so many milliseconds others before them were late
    private static func patience(packetMilliseconds: Int, isWaiting: Bool = false, learnt: Int64 = 0) -> Int? {
        var now = VirtualGateway.start
        var clock = FillClock(rate: rate, now: now)
        for lateness in [0, 0, learnt] { clock.observe(0, arrival: now + .milliseconds(lateness), startsAxis: false) }
        var position: Int64 = 0
        for _ in 0..<20 {
            for _ in 0..<packetMilliseconds / 10 {
                let missing = clock.missing(position: position, isHeld: false, isWaiting: false, jitterMilliseconds: 2, now: now)
                // Before the first packet there is nothing to be early for.
                if missing > 0, position > 0 { return nil }
                now = now + .milliseconds(10)
            }
            position += Int64(packetMilliseconds * rate / 1000)
            clock.arrived(now: now, isDTX: false, samples: packetMilliseconds * rate / 1000)
        }
        for waited in 1...400 where clock.missing(
            position: position, isHeld: false, isWaiting: isWaiting, jitterMilliseconds: 2, now: now + .milliseconds(Int64(waited))) > 0 {
            return waited
        }
        return nil
    }

    @Test(arguments: [(10, 61), (20, 61), (40, 81), (60, 101), (120, 161)]) func longPacketsComeLater(milliseconds: Int, patience: Int) {
        #expect(Self.patience(packetMilliseconds: milliseconds) == patience)
    }

    /// What is held back for a lost one needs its place as soon as that is given up.
    @Test(arguments: [20, 60]) func nothingIsMadeUpInPlaceOfWhatIsHere(milliseconds: Int) {
        #expect(Self.patience(packetMilliseconds: milliseconds, isWaiting: true) == nil)
    }

    /// Where packets are known to come late but in order, they are waited for; the most is as long as a voice detector can wait.
    @Test(arguments: [(30, 61), (80, 121), (150, 191), (200, 221), (201, 61)]) func lateOnesAreWaitedFor(learnt: Int64, patience: Int) {
        #expect(Self.patience(packetMilliseconds: 20, learnt: learnt) == patience)
    }
}
