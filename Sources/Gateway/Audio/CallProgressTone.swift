import Transcode

/// What a caller hears of a call that is not answered yet, or not any more: a tone, on and off for ever (ITU-T E.180).
struct CallProgressTone: Sendable, Equatable {
    var tone: Tone
    /// Milliseconds of sound and of silence, in turn.
    var on: Int
    var off: Int

    /// How long a failure is heard before the call ends, in milliseconds: long enough to be understood.
    static let failureLength = 3000

    /// The far end rings.
    /// - Parameter country: the digits of the called trunk's country; North America has tones of its own
    static func ringback(country: String) -> CallProgressTone {
        country == northAmerica
            ? CallProgressTone(tone: dual(440, 480), on: 2000, off: 4000) : CallProgressTone(tone: single, on: 1000, off: 4000)
    }

    /// Why a call failed: busy, or the faster tone of everything else (congestion, reorder).
    static func failure(_ reason: EndReason, country: String) -> CallProgressTone {
        let length = reason == .busy ? 500 : 250
        return CallProgressTone(tone: country == northAmerica ? dual(480, 620) : single, on: length, off: length)
    }

    /// The line is held, and not dead: a soft short tone every three seconds.
    static let held = CallProgressTone(tone: Tone(frequency: 523, level: -30), on: 200, off: 2800)

    private static let northAmerica = "1"
    /// Per component, in dBFS: as loud as speech on a telephone line.
    private static let level = -20.0
    private static let single = Tone(frequency: 425, level: level)

    private static func dual(_ first: Double, _ second: Double) -> Tone {
        Tone(.init(frequency: first, level: level - 3), .init(frequency: second, level: level - 3))
    }
}
