import CSpeexDSP

/// Learns what a line makes of the sound played to it, and takes that out: speexdsp's adaptive filter, and beside it the response as
/// it stood when that did best, for while somebody speaks at the line. Works on blocks of 10 ms.
final class EchoFilter {
    /// Samples of a block.
    let block: Int
    /// What is left of the last block.
    let output: UnsafeMutablePointer<Int16>

    private let state: OpaquePointer
    private let far: UnsafeMutablePointer<Int16>
    private let adapted: UnsafeMutablePointer<Int16>
    private let adaptive: UnsafeMutablePointer<Float>
    private let kept: UnsafeMutablePointer<Float>
    private let untouched: UnsafeMutablePointer<Float>
    private let response: EchoResponse
    private var notch: EchoNotch
    private var choice = EchoChoice()
    private let length: Int
    /// Where the sound is whose echo the filter sees first: as `EchoDelayEstimator.offset`, in samples.
    private var offset: Int64 = 0
    /// Samples by which the filter begins before the echo that was found.
    private var lead: Int
    private var echo: Int64?
    /// Blocks in a row without sound to hear the echo of.
    private var silence = 0

    /// Whether anything of the line was learnt since the filter was aimed.
    var hasHelped: Bool { response.isKnown }

    /// What a block's sound was and is, as sums of squares.
    struct Powers {
        /// Of what was played, whose echo may be in the block.
        var far: Float = 0
        var near: Float = 0
        var residual: Float = 0
        /// Of what was taken out.
        var echo: Float = 0
    }

    /// Milliseconds of the line's response that are learnt.
    static let span = 48
    /// Milliseconds from the beginning of the filter to the strongest part of the echo.
    private static let leadTime = 8
    /// Milliseconds that must stay behind that part: a hybrid rings for so long.
    private static let tail = 24
    /// Mean square below which nothing is played: -70 dBFS.
    private static let silent: Float = 100
    /// Blocks of silence after which the filter has nothing to do.
    private static let ringing = 10
    /// A filter that adds to the sound for so many blocks has lost its way.
    private static let mostLost = 20

    /// nil when memory is short.
    init?(rate: Int) {
        block = rate / 100
        length = rate / 1000 * Self.span
        lead = rate / 1000 * Self.leadTime
        guard let state = speex_echo_state_init(Int32(block), Int32(length)) else { return nil }
        self.state = state
        var samplingRate = Int32(rate)
        speex_echo_ctl(state, SPEEX_ECHO_SET_SAMPLING_RATE, &samplingRate)
        response = EchoResponse(length: length, block: block)
        notch = EchoNotch(rate: rate)
        (far, adapted, output) = (.allocate(capacity: block), .allocate(capacity: block), .allocate(capacity: block))
        for buffer in [far, adapted, output] { buffer.initialize(repeating: 0, count: block) }
        (adaptive, kept, untouched) = (.allocate(capacity: block), .allocate(capacity: block), .allocate(capacity: block))
        for buffer in [adaptive, kept, untouched] { buffer.initialize(repeating: 0, count: block) }
    }

    deinit {
        speex_echo_state_destroy(state)
        for buffer in [far, adapted, output] { buffer.deallocate() }
        for buffer in [adaptive, kept, untouched] { buffer.deallocate() }
    }

    /// The strongest part of the echo is at `echo`. While the filter covers that it stays as it is.
    func aim(at echo: Int64) {
        if self.echo != nil {
            let delay = offset &- echo
            if delay >= 0, delay <= Int64(length - length * Self.tail / Self.span) { return }
        }
        place(at: echo)
    }

    /// Begins no sooner than lets everything be played that the filter needs for what came until `position`.
    func see(until position: Int64, reference: borrowing EchoReference) {
        shorten(by: position &+ offset &- (reference.end ?? 0))
    }

    /// Samples before `position` of which what was played for most of their echo is known.
    func known(before position: Int64, reference: borrowing EchoReference) -> Int {
        let oldest = (reference.end ?? 0) &- Int64(reference.capacity)
        let samples = position &+ offset &- Int64(length) &- oldest
        return Int(max(0, min(Int64(reference.capacity), samples)))
    }

    private func shorten(by missing: Int64) {
        guard missing > 0, let echo, lead > 0 else { return }
        lead = Int(max(0, Int64(lead) &- missing))
        place(at: echo)
    }

    private func place(at echo: Int64) {
        self.echo = echo
        offset = echo &+ Int64(lead)
        response.forget()
        choice = EchoChoice()
        speex_echo_state_reset(state)
    }

    /// A piece of the stream is missing: what is in the filter's memory is past.
    func skip() {
        far.update(repeating: 0, count: block)
        response.skip()
        guard silence < Self.ringing else { return }
        var left = length + block
        while left > 0 {
            speex_echo_cancellation(state, far, far, adapted)
            left -= block
        }
    }

    /// Takes the echo out of the block at `position`; `output` holds what is left.
    func process(_ near: UnsafePointer<Int16>, at position: Int64, reference: borrowing EchoReference) -> Powers {
        let missing = reference.read(from: position &+ offset, into: far, count: block)
        // An echo sooner than the filter's beginning would allow for: what it waits for has not been played.
        shorten(by: Int64(missing))
        notch.process(near, count: block, into: untouched)
        response.play(far)
        var powers = Powers()
        powers.far = SumOfSquares.of(far, block)
        silence = powers.far < Self.silent * Float(block) ? min(silence + 1, Self.ringing) : 0
        let before = choice.current
        if silence < Self.ringing {
            cancel(near, far: powers.far)
            write(before, then: choice.current, &powers)
        } else {
            // What comes next begins with what is known of the line: the beginning of a sound's echo is as audible as the rest of it.
            choice = EchoChoice(current: response.isKnown ? .kept : .untouched)
            write(.untouched, then: .untouched, &powers)
        }
        return powers
    }

    private func cancel(_ near: UnsafePointer<Int16>, far power: Float) {
        speex_echo_cancellation(state, near, far, adapted)
        var index = 0
        while index < block {
            adaptive[index] = Float(adapted[index])
            index &+= 1
        }
        kept.update(from: untouched, count: block)
        if response.isKnown {
            response.cancel(kept)
            response.learn(untouched, left: kept)
        }
        choice.observe(
            adaptive: SumOfSquares.of(adaptive, block), kept: response.isKnown ? SumOfSquares.of(kept, block) : nil,
            untouched: SumOfSquares.of(untouched, block), far: power)
        if choice.isWorthKeeping {
            response.keep(state, left: choice.adaptiveLeaves)
            choice.hasKept()
        }
        if choice.adaptiveIsLost >= Self.mostLost { speex_echo_state_reset(state) }
    }

    private func sound(of candidate: EchoChoice.Candidate) -> UnsafeMutablePointer<Float> {
        switch candidate {
        case .adaptive: adaptive
        case .kept: kept
        case .untouched: untouched
        }
    }

    /// What is chosen, into which the block passes from what was chosen before it.
    private func write(_ before: EchoChoice.Candidate, then chosen: EchoChoice.Candidate, _ powers: inout Powers) {
        let (old, new) = (sound(of: before), sound(of: chosen))
        let step = 1 / Float(block)
        var share: Float = 0
        var index = 0
        while index < block {
            share += step
            // A response that went astray may have left any range of whole numbers.
            let sample = Int16(max(-32768, min(32767, (old[index] + share * (new[index] - old[index])).rounded())))
            output[index] = sample
            let taken = untouched[index] - Float(sample)
            powers.echo += taken * taken
            index &+= 1
        }
        powers.near = SumOfSquares.of(untouched, block)
        powers.residual = SumOfSquares.of(output, block)
    }
}
