/// One or two sines sounded together.
public struct Tone: Sendable, Equatable {
    /// One sine of a tone.
    public struct Component: Sendable, Equatable {
        /// Hertz.
        public var frequency: Double
        /// Root mean square in dBFS (see `Level`).
        public var level: Double

        public init(frequency: Double, level: Double) {
            self.frequency = frequency
            self.level = level
        }
    }

    public var first: Component
    public var second: Component?

    public init(_ first: Component, _ second: Component? = nil) {
        self.first = first
        self.second = second
    }

    /// A single sine.
    public init(frequency: Double, level: Double) {
        self.init(Component(frequency: frequency, level: level))
    }

    /// The keys of a keypad with the letters that only equipment has, in the order of RFC 4733's event codes.
    public static let digits: [Character] = Array("0123456789*#ABCD")

    // ITU-T Q.23. The high group is 2 dB above the low one, as ETSI ES 201 235-2 has it, for lines lose more of it;
    // -9 and -7 dBm0, where G.711 puts 0 dBm0 at -6.2 dBFS.
    static let lowGroup = [697.0, 770, 852, 941]
    static let highGroup = [1209.0, 1336, 1477, 1633]
    private static let lowLevel = -15.2
    private static let highLevel = -13.2
    static let keypad: [Character] = Array("123A456B789C*0#D")

    /// The dual tone of a DTMF key (`0`-`9`, `*`, `#`, `A`-`D`, in either case); nil for another character.
    public static func dtmf(_ digit: Character) -> Tone? {
        guard let key = digit.uppercased().first, let index = keypad.firstIndex(of: key) else { return nil }
        return Tone(
            Component(frequency: lowGroup[index / 4], level: lowLevel),
            Component(frequency: highGroup[index % 4], level: highLevel))
    }
}
