import CSpandsp

/// Hears DTMF in the sound of a line where telephone-event was not negotiated. 8000 samples a second. Loop-confined.
///
/// Off until `isEnabled` is set: speech can imitate a key, so it listens only where nothing better is to be had.
public final class DTMFDetector {
    /// What was heard.
    public enum Event: Sendable, Equatable {
        case began(Character)
        case ended(Character)
    }

    /// Samples a second it must be given.
    public static let rate = 8000
    /// How many decibels the low tone may be louder than the high one, and the high one than the low one: a decibel beyond what
    /// ITU-T Q.24 table A-1 (AT&T) asks for, so that what is at its limits, 8 and 4, is heard every time.
    private static let lowLouder: Int32 = 9
    private static let highLouder: Int32 = 5
    /// What leaves spandsp's least level, about -42 dBm0, as it is.
    private static let usualThreshold: Int32 = -99
    /// Events of one call of `process` that are kept: a frame of a second holds at most 20 digits.
    private static let eventLimit = 64

    /// Whether `process` listens at all.
    public var isEnabled = false

    private let state: OpaquePointer
    /// Codes that spandsp reported during the call under way: the digit's ASCII code, or 0 for its end.
    private let reports: UnsafeMutablePointer<UInt8>
    private var reportCount = 0
    private var current: Character?

    /// nil when memory is short.
    public init?() {
        guard let state = dtmf_rx_init(nil, nil, nil) else { return nil }
        self.state = state
        dtmf_rx_parms(state, 0, Self.lowLouder, Self.highLouder, Self.usualThreshold)
        reports = .allocate(capacity: Self.eventLimit)
        dtmf_rx_set_realtime_callback(
            state,
            { context, code, _, _ in
                guard let context else { return }
                Unmanaged<DTMFDetector>.fromOpaque(context).takeUnretainedValue().report(code)
            },
            Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        dtmf_rx_free(state)
        reports.deallocate()
    }

    /// Hears the next samples, any number of them, and appends what began or ended in them.
    public func process(_ samples: UnsafeBufferPointer<Int16>, into events: inout [Event]) {
        guard isEnabled, let source = samples.baseAddress, !samples.isEmpty else { return }
        reportCount = 0
        dtmf_rx(state, source, Int32(clamping: samples.count))
        for index in 0..<reportCount {
            if let ended = current { events.append(.ended(ended)) }
            let code = reports[index]
            current = code == 0 ? nil : Character(Unicode.Scalar(code))
            if let current { events.append(.began(current)) }
        }
    }

    private func report(_ code: Int32) {
        guard reportCount < Self.eventLimit else { return }
        reports[reportCount] = UInt8(clamping: code)
        reportCount += 1
    }
}
