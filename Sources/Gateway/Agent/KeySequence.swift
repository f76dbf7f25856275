/// Keys that an agent presses, one after the other on the playout grid.
struct KeySequence {
    private var keys: [Digit?] = []
    /// Slots from the beginning of one key to that of the next.
    private var spacing = 0
    private var wait = 0

    /// Milliseconds of a pause among the keys.
    private static let pause = 500
    /// Keys waiting at once.
    private static let most = 512

    /// - Parameters:
    ///   - keys: nil for a pause of half a second
    ///   - milliseconds: from the beginning of one key to that of the next
    mutating func add(_ keys: [Digit?], milliseconds: Int) {
        spacing = max(1, (min(milliseconds, 5000) + PlayoutQueue.slotMilliseconds - 1) / PlayoutQueue.slotMilliseconds)
        self.keys += keys.prefix(Self.most - self.keys.count)
    }

    /// The key to be pressed in this slot.
    mutating func next() -> Digit? {
        if wait > 0 {
            wait -= 1
            return nil
        }
        guard !keys.isEmpty else { return nil }
        let key = keys.removeFirst()
        wait = (key == nil ? Self.pause / PlayoutQueue.slotMilliseconds : spacing) - 1
        return key
    }
}
