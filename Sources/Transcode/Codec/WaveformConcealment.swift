import CSpandsp

/// Hides lost packets of G.711 and G.722: repeats the last pitch period, faded to nothing within 50 ms (at 8000 samples a second;
/// 25 ms at 16,000), and blends back into what follows (spandsp's variant of G.711 Appendix I, without its delay). Loop-confined.
public final class WaveformConcealment {
    private let state: UnsafeMutablePointer<plc_state_t>
    /// spandsp counts missing samples in an Int32 for as long as a loss lasts; beyond this, half a second at least, all is
    /// silence anyway.
    private static let longestLoss = 8000
    private var missing = 0

    public init() {
        state = .allocate(capacity: 1)
        state.initialize(to: plc_state_t())
        plc_init(state)
    }

    deinit {
        state.deallocate()
    }

    /// Shows good audio to the concealer. The first samples after a loss are blended in place.
    public func received(_ samples: UnsafeMutableBufferPointer<Int16>) {
        guard let base = samples.baseAddress, !samples.isEmpty else { return }
        plc_rx(state, base, Int32(clamping: samples.count))
        missing = 0
    }

    /// Writes audio in place of a lost packet.
    /// - Returns: the samples written: all of `output`.
    public func fill(_ output: UnsafeMutableBufferPointer<Int16>) -> Int {
        guard let base = output.baseAddress, !output.isEmpty else { return 0 }
        if missing < Self.longestLoss {
            if missing == 0 { turnHistory() }
            plc_fillin(state, base, Int32(clamping: output.count))
            missing += output.count
        } else {
            output.update(repeating: 0)
        }
        return output.count
    }

    /// Has the history begin with its oldest sample. spandsp would do it by memcpy between places that overlap, which C leaves undefined;
    /// what is done already it leaves alone.
    private func turnHistory() {
        let oldest = Int(state.pointee.buf_ptr)
        withUnsafeMutableBytes(of: &state.pointee.history) { bytes in
            let history = bytes.bindMemory(to: Int16.self)
            guard history.indices.contains(oldest) else { return }
            withUnsafeTemporaryAllocation(of: Int16.self, capacity: history.count) { old in
                _ = old.initialize(from: history)
                let rest = history.count - oldest
                _ = history[..<rest].update(fromContentsOf: old[oldest...])
                _ = history[rest...].update(fromContentsOf: old[..<oldest])
            }
        }
        state.pointee.buf_ptr = 0
    }

    /// Forgets the stream so far.
    public func reset() {
        plc_init(state)
        missing = 0
    }
}
