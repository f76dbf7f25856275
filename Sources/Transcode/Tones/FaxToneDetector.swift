import CSpandsp

/// Hears a fax machine or a modem in the sound of a line (ITU-T T.30 section 4, V.8 section 8). 8000 samples a second. Loop-confined.
public final class FaxToneDetector {
    /// What it listens for.
    public enum Kind: Sendable {
        /// CNG of a machine that calls: half a second of 1100 Hz, every three and a half seconds.
        case calling
        /// CED or ANSam of a machine that answers: 2100 Hz for seconds, with phase reversals or without.
        case answering
    }

    /// Samples a second it must be given.
    public static let rate = 8000

    private let state: OpaquePointer
    private var gate: ToneGate
    private var isTold = false

    /// nil when memory is short.
    public init?(_ kind: Kind) {
        // What listens for ANS with phase reversals hears all four kinds of answer tone.
        let tone = kind == .calling ? MODEM_CONNECT_TONES_FAX_CNG : MODEM_CONNECT_TONES_ANS_PR
        guard let state = modem_connect_tones_rx_init(nil, Int32(tone), nil, nil) else { return nil }
        self.state = state
        gate = ToneGate(frequency: kind == .calling ? 1100 : 2100, rate: Self.rate)
    }

    deinit {
        modem_connect_tones_rx_free(state)
    }

    /// Hears the next samples, any number of them.
    /// - Returns: true once, in the samples in which it became certain: 0.4 s after a CNG began, 0.7 to 1.5 s after an answer tone.
    public func process(_ samples: UnsafeBufferPointer<Int16>) -> Bool {
        guard !isTold, let source = samples.baseAddress, !samples.isEmpty else { return false }
        // Its filters cost more than all else that listens to a line, and nearly all it is given has nothing of such a tone.
        guard gate.opens(for: samples) else { return false }
        modem_connect_tones_rx(state, source, Int32(clamping: samples.count))
        guard modem_connect_tones_rx_get(state) != Int32(MODEM_CONNECT_TONES_NONE) else { return false }
        isTold = true
        return true
    }
}
