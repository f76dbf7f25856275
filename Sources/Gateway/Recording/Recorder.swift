import Foundation
import Logging
import NIOConcurrencyHelpers

/// Writes the recordings of all calls, on one thread of its own that gives way to the media loops.
///
/// A call never waits for it: media loops put their sound into rings that are taken empty here ten times a second.
final class Recorder: @unchecked Sendable {
    struct Counters: Sendable, Equatable {
        /// Recordings being written.
        var active = 0
        /// Recordings that were completed.
        var finished = 0
        /// Recordings given up because the disk refused them.
        var failed = 0
        /// Sound that found no room because the disk was slow, of recordings that are over.
        var droppedMilliseconds = 0
    }

    private struct State {
        var begun: [RecordingWriterOrder] = []
        var counters = Counters()
        var isClosed = false
        var whenClosed: [CheckedContinuation<Void, Never>] = []
        var isRunning = false
    }

    /// A recording whose file is not open yet.
    private struct RecordingWriterOrder {
        let recording: CallRecording
        let ring: RecordingRing
        let rate: Int
    }

    private let settings: Configuration.Recordings
    private let announcement: Recording?
    private let open: @Sendable (String) throws -> any RecordingOutput
    private let logger: Logger
    private let state = NIOLockedValueBox(State())
    private let wake = DispatchSemaphore(value: 0)
    /// Used by the writing thread only.
    private var writers: [RecordingWriter] = []

    static let interval = 0.1
    private static let pruneInterval = 3600.0
    /// Lower than everything else of the process, so that encoding never takes a media loop's time.
    private static let niceness: Int32 = 10

    /// - Parameters:
    ///   - announcement: of `settings`, read.
    ///   - open: opens the file of that path for writing; tests give their own.
    init(
        _ settings: Configuration.Recordings, announcement: Recording? = nil, logger: Logger,
        open: @escaping @Sendable (String) throws -> any RecordingOutput = { try RecordingFile($0) }
    ) {
        self.settings = settings
        self.announcement = announcement
        self.logger = logger
        self.open = open
    }

    var counters: Counters { state.withLockedValue { $0.counters } }

    /// A recording that begins with the first sound its call's media loop hands over.
    func makeRecording(of call: CallID, at time: Date) -> CallRecording {
        let file = RecordingFolder.name(of: call, at: time, format: settings.format)
        return CallRecording(call: call, file: file, announcement: announcement, hasTone: settings.tone, recorder: self)
    }

    /// Called by media loops, once for a recording.
    func begin(_ recording: CallRecording, _ ring: RecordingRing, rate: Int) {
        state.withLockedValue {
            $0.begun.append(RecordingWriterOrder(recording: recording, ring: ring, rate: rate))
            $0.counters.active += 1
        }
        wake.signal()
    }

    // MARK: The writing thread

    /// Starts it. What an earlier process left behind is made whole, what is too old deleted.
    func start() {
        state.withLockedValue { $0.isRunning = true }
        let thread = Thread { [self] in run() }
        thread.name = "recorder"
        thread.start()
    }

    /// Completes what is being written; returns when all files are closed.
    func close() async {
        await withCheckedContinuation { done in
            let isRunning = state.withLockedValue { state in
                state.isClosed = true
                if state.isRunning { state.whenClosed.append(done) }
                return state.isRunning
            }
            if isRunning { wake.signal() } else { done.resume() }
        }
    }

    private func run() {
        // Of this thread alone: Linux keeps it by thread.
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness)
        tidy(repairs: true)
        var tidied = DispatchTime.now()
        while !state.withLockedValue({ $0.isClosed }) {
            turn()
            let pause = writers.isEmpty ? Self.pruneInterval : Self.interval
            _ = wake.wait(timeout: .now() + pause)
            if DispatchTime.now() > tidied + Self.pruneInterval {
                tidy(repairs: false)
                tidied = .now()
            }
        }
        turn()
        closeAll()
        let waiting = state.withLockedValue { state in
            state.isRunning = false
            return state.whenClosed
        }
        for done in waiting { done.resume() }
    }

    private func tidy(repairs: Bool) {
        let folder = RecordingFolder(path: settings.folder)
        let repaired = repairs ? folder.repair() : 0
        if repaired > 0 { logger.notice("recordings of a process that did not end by itself were completed", metadata: ["files": "\(repaired)"]) }
        let deleted = folder.prune(days: settings.retentionDays, now: Date())
        if deleted > 0 { logger.info("old recordings were deleted", metadata: ["files": "\(deleted)"]) }
    }

    /// Writes what came since the last turn. On virtual time tests call it.
    func turn() {
        let begun = state.withLockedValue { state in
            defer { state.begun = [] }
            return state.begun
        }
        for order in begun {
            do {
                writers.append(try writer(order))
            } catch {
                giveUp(order.recording, error)
            }
        }
        writers.removeAll { writer in
            do {
                guard try writer.drain() else { return false }
                complete(writer)
            } catch {
                writer.abandon()
                giveUp(writer.recording, error)
            }
            return true
        }
    }

    private func closeAll() {
        for writer in writers {
            do {
                try writer.close()
                complete(writer)
            } catch {
                giveUp(writer.recording, error)
            }
        }
        writers = []
    }

    private func writer(_ order: RecordingWriterOrder) throws -> RecordingWriter {
        let output = try open("\(settings.folder)/\(order.recording.file)")
        let format: any RecordingFormat =
            switch settings.format {
            case .wav: try WAVFormat(output, rate: order.rate)
            case .opus: try OggOpusFormat(output, rate: order.rate, serial: Int32(truncatingIfNeeded: order.recording.call.hashValue))
            }
        return RecordingWriter(order.recording, order.ring, rate: order.rate, keepsDigits: settings.keepsDigits, format: format)
    }

    private func complete(_ writer: RecordingWriter) {
        let dropped = writer.recording.droppedMilliseconds
        state.withLockedValue {
            $0.counters.active -= 1
            $0.counters.finished += 1
            $0.counters.droppedMilliseconds += dropped
        }
        guard dropped > 0 || writer.lateMilliseconds > 0 else { return }
        logger.warning(
            "a recording has gaps",
            metadata: [
                "call": "\(writer.recording.call)", "file": "\(writer.recording.file)", "dropped_ms": "\(dropped)",
                "late_ms": "\(writer.lateMilliseconds)",
            ])
    }

    private func giveUp(_ recording: CallRecording, _ error: any Error) {
        recording.fail()
        state.withLockedValue {
            $0.counters.active -= 1
            $0.counters.failed += 1
            $0.counters.droppedMilliseconds += recording.droppedMilliseconds
        }
        logger.error(
            "a recording cannot be written: \(error); the call goes on without",
            metadata: ["call": "\(recording.call)", "file": "\(recording.file)"])
    }
}
