import NIOCore

/// The different numbers called within the last hour. It holds no more than were admitted to it.
struct DestinationWindow: Sendable {
    static let window = TimeAmount.hours(1)

    private var added: [String: NIODeadline] = [:]
    /// In the order they were added.
    private var order: [(number: String, at: NIODeadline)] = []

    /// Whether the number was called within the hour.
    mutating func holds(_ number: String, now: NIODeadline) -> Bool {
        expire(now: now)
        return added[number] != nil
    }

    mutating func count(now: NIODeadline) -> Int {
        expire(now: now)
        return added.count
    }

    /// A number that is called again within the hour keeps its first time: it counts once an hour, however often it is called.
    mutating func add(_ number: String, now: NIODeadline) {
        expire(now: now)
        guard added[number] == nil else { return }
        added[number] = now
        order.append((number, now))
    }

    private mutating func expire(now: NIODeadline) {
        let gone = order.prefix { $0.at + Self.window <= now }
        guard !gone.isEmpty else { return }
        for entry in gone { added[entry.number] = nil }
        order.removeFirst(gone.count)
    }
}
