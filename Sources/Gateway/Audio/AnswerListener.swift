import NIOCore

/// Stands before an agent's port, and hears who answered a call that the gateway placed.
final class AnswerListener: AudioPort {
    private let port: any AudioPort
    private var classifier: AnswerClassifier?
    private let found: (AnswerClassifier.Finding) -> Void

    /// - Parameter found: hears every finding, while the frame is passed on.
    init(_ port: any AudioPort, found: @escaping (AnswerClassifier.Finding) -> Void) {
        self.port = port
        self.found = found
    }

    var nativeRates: [Int] { port.nativeRates }
    var resamples: Bool { port.resamples }
    var wantsGapFreeStream: Bool { port.wantsGapFreeStream }
    var takesKeysAsSound: Bool { port.takesKeysAsSound }
    var pathDescription: String { port.pathDescription }
    func prepare(keysStaySound: Bool) { port.prepare(keysStaySound: keysStaySound) }
    var opusPassing: OpusPassing { port.opusPassing.decoded }
    func prepare(passing: OpusPassing) { port.prepare(passing: passing) }

    func start(rate: Int, gapFree: Bool, sink: any AudioSink, now: NIODeadline) {
        classifier = AnswerClassifier(rate: rate)
        port.start(rate: rate, gapFree: gapFree, sink: sink, now: now)
    }

    func stop() { port.stop() }

    func send(_ frame: borrowing AudioFrame, now: NIODeadline) {
        if let classifier {
            if let finding = classifier.hear(frame.samples) { found(finding) }
            if classifier.isOver { self.classifier = nil }
        }
        port.send(frame, now: now)
    }

    func send(digit: Digit, duration: Int, now: NIODeadline) { port.send(digit: digit, duration: duration, now: now) }
}
