import NIOConcurrencyHelpers
import NIOCore

/// The RTP ports of the gateway, shared by its media loops. A port that was used rests for a while, so that a late packet of
/// the old call cannot land in a new one.
final class PortPool: Sendable {
    private struct State {
        var next: Int
        var inUse: Set<Int> = []
        var resting: [Int: NIODeadline] = [:]
    }

    /// Even numbers only: RTCP has the odd one above (RFC 3550 section 11).
    private let numbers: ClosedRange<Int>
    private let state: NIOLockedValueBox<State>

    /// How long a freed port rests.
    private static let quarantine = TimeAmount.seconds(10)
    /// Ports tried before giving up: other programs may hold some.
    private static let mostTries = 200

    /// - Parameter range: port numbers; odd ends are left out.
    init(_ range: ClosedRange<Int>) {
        let first = range.lowerBound + range.lowerBound % 2
        numbers = first...max(first, range.upperBound)
        state = NIOLockedValueBox(State(next: first))
    }

    /// Ports in use, one per trunk leg.
    var count: Int { state.withLockedValue { $0.inUse.count } }

    /// Finds a free even port and lets `bind` bind it; tries others when it returns nil.
    func open<Port>(_ bind: (Int) -> Port?) -> Port? {
        for _ in 0..<Self.mostTries {
            guard let number = take() else { return nil }
            if let port = bind(number) { return port }
            state.withLockedValue { _ = $0.inUse.remove(number) }
        }
        return nil
    }

    /// - Parameter rests: false for a port whose number was never told: no packet can come late.
    func release(_ number: Int, rests: Bool = true) {
        state.withLockedValue {
            $0.inUse.remove(number)
            if rests { $0.resting[number] = .now() + Self.quarantine }
        }
    }

    private func take() -> Int? {
        state.withLockedValue { state in
            let now = NIODeadline.now()
            for _ in stride(from: numbers.lowerBound, through: numbers.upperBound, by: 2) {
                let number = state.next
                state.next = number + 2 > numbers.upperBound - 1 ? numbers.lowerBound : number + 2
                if state.inUse.contains(number) { continue }
                if let until = state.resting[number] {
                    guard until <= now else { continue }
                    state.resting[number] = nil
                }
                state.inUse.insert(number)
                return number
            }
            return nil
        }
    }
}
