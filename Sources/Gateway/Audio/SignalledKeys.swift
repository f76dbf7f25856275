import NIOCore

/// Keys that go to a phone by signalling, one after the other at the pace at which they would sound: requests sent at once may
/// arrive in another order. Confined to the call's media loop.
final class SignalledKeys {
    struct Key {
        var digit: Digit
        var milliseconds: Int
    }

    private var waiting: [Key] = []
    /// When the key under way and the pause after it are over.
    private var free = NIODeadline.uptimeNanoseconds(0)

    /// Keys that wait; what is sent beyond is dropped.
    private static let limit = 64
    private static let pause = TimeAmount.milliseconds(60)

    func add(_ digit: Digit, milliseconds: Int) {
        if waiting.count < Self.limit { waiting.append(Key(digit: digit, milliseconds: milliseconds)) }
    }

    /// The key to be sent now; nil when there is none or the last one still lasts.
    func next(now: NIODeadline) -> Key? {
        guard !waiting.isEmpty, now >= free else { return nil }
        let key = waiting.removeFirst()
        free = now + .milliseconds(Int64(key.milliseconds)) + Self.pause
        return key
    }
}
