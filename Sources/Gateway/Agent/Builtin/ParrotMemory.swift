/// What the parrot heard: the caller's words with a little before them, without the silence after them.
final class ParrotMemory {
    private let storage: SampleBuffer
    private let rate: Int
    private var count = 0
    private var isSpeech = false

    /// Longest speech remembered, in seconds; what is beyond is not repeated.
    private static let longest = 30
    /// Kept from before the speech was noticed, in milliseconds: its first sound.
    private static let lead = 200
    /// The silence that ended the speech, of which a little is kept, in milliseconds.
    private static let silence = 500

    init(rate: Int) {
        self.rate = rate
        storage = SampleBuffer(capacity: rate * Self.longest)
    }

    func remember(_ samples: UnsafeBufferPointer<Int16>) {
        if !isSpeech { keepLead(making: samples.count) }
        let room = min(samples.count, storage.samples.count - count)
        guard room > 0, let source = samples.baseAddress, let target = storage.samples.baseAddress else { return }
        (target + count).update(from: source, count: room)
        count += room
    }

    func speechStarted() { isSpeech = true }

    /// Hands the speech over and forgets it.
    func takeSpeech(_ body: (UnsafeMutableBufferPointer<Int16>) -> Void) {
        let speech = max(0, count - rate * Self.silence / 1000)
        if speech > 0 { body(storage.prefix(speech)) }
        count = 0
        isSpeech = false
    }

    private func keepLead(making room: Int) {
        let kept = rate * Self.lead / 1000
        guard count + room > kept, let base = storage.samples.baseAddress else { return }
        let dropped = min(count, count + room - kept)
        base.update(from: base + dropped, count: count - dropped)
        count -= dropped
    }
}
