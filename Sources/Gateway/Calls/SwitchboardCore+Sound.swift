import Dialplan
import Foundation
import NIOCore
import RTP
import SIPStack

/// What a caller hears beside a far end's answer: early media, ringing tones, failure tones and files.
extension SwitchboardCore {
    /// The callee is heard before its answer, and hears: what carriers announce in early media may ask for keys.
    func early(_ entry: CallEntry) {
        var entry = entry
        if let sip = entry.sipCall, !entry.isEarly, !entry.call.isAnswered {
            // Without an offer there is nothing that a 183 could answer.
            guard entry.hasOffer, let description = entry.description else { return }
            entry.isEarly = true
            keep(entry)
            outlets.sip { $0.ring(sip, status: 183, sdp: description, now: $1, into: &$2) }
        }
        let id = entry.id
        outlets.media(entry.loop) { loop, now in
            loop.perform(on: id, now: now) { call in
                (call.caller as? TrunkLeg)?.openEarly()
                call.connect(now: now)
            }
        }
    }

    /// A phone makes its own ringing tone of a 180; everybody whose sound is open already hears one.
    func ringback(_ entry: CallEntry) {
        guard entry.isBrowser || entry.isEarly || entry.call.isAnswered else { return }
        let (id, tone) = (entry.id, CallProgressTone.ringback(country: entry.callee?.trunk.country ?? ""))
        outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.ringback(tone, now: now) } }
    }

    func playFailure(_ end: CallEnd, _ entry: CallEntry) {
        let tone = CallProgressTone.failure(end.reason, country: entry.lastCountry)
        let (id, length) = (entry.id, CallProgressTone.failureLength)
        outlets.media(entry.loop) { loop, now in
            loop.perform(on: id, now: now) { $0.play(.tone(tone, milliseconds: length), now: now) }
        }
    }

    /// Reads the file beside everything else, then plays it.
    func play(_ file: String, _ entry: CallEntry) {
        let (id, outlets) = (entry.id, outlets)
        entries[id]?.record.begin(step: "play", target: file)
        entry.logger.info("playing a file", metadata: ["file": "\(file)"])
        if entry.call.isScripted, Self.isRemote(file) { return playRemote(file, entry) }
        outlets.background { outlets.post(.recordingLoaded(id, Recording.load(file))) }
    }

    func recordingLoaded(_ id: CallID, _ result: Result<Recording, CallEnd>) {
        guard let entry = entries[id], !entry.call.isEnding else { return }
        switch result {
        case .success(let recording):
            entries[id]?.record.stepTook()
            update(id) { $0.playing(into: &$1) }
            outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.play(.recording(recording), now: now) } }
        case .failure(let failure):
            entries[id]?.record.stepFailed(failure)
            entry.logger.error("a file cannot be played: \(failure.detail)")
            update(id) { $0.stepFailed(failure, into: &$1) }
        }
    }
}

extension Recording {
    /// Files larger than this are not read: ten minutes at 48 kHz.
    static let largestFile = 64 << 20

    /// Reads a WAV file; takes its time.
    static func load(_ path: String) -> Result<Recording, CallEnd> {
        let url = URL(fileURLWithPath: path)
        do {
            let size = try url.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
            guard size <= largestFile else { return .failure(CallEnd(.failed, detail: "The file to be played is larger than 64 MiB.")) }
            return .success(try Recording(wave: [UInt8](Data(contentsOf: url))))
        } catch let failure as Failure {
            return .failure(CallEnd(.failed, detail: "The file to be played cannot be used: \(failure)."))
        } catch {
            return .failure(CallEnd(.failed, detail: "The file to be played cannot be read."))
        }
    }
}
