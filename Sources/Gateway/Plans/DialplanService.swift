import Dialplan
import Dispatch
import Foundation
import Logging
import NIOConcurrencyHelpers

/// The one place a new dial plan comes in, by SIGHUP or by the API. One change at a time, on a queue of its own: a plan takes the old one's
/// place only after it loaded without an error, passed its own tests, and, from the API, is safely in its file. Whatever goes wrong
/// before that leaves everything as it was. Running calls keep the decision they began with.
final class DialplanService: Sendable {
    /// Why a plan was not taken.
    enum Refusal: Error, Sendable, Equatable {
        /// It is not the plan the author edited: another one is in force.
        case stale
        /// The file was edited by hand and is not in force: it would be overwritten.
        case fileChanged
        case invalid([Problem])
        /// The file could not be written, in the system's words.
        case unwritable(String)
    }

    /// A plan that came in.
    struct Change: Sendable {
        var current: PlanText
        /// Of the history; nil if it could not be kept.
        var version: Int64?
        var diff: PlanDiff
        var warnings: [Problem]
    }

    struct Verdict: Sendable {
        var plan: Plan?
        var problems: [Problem]
    }

    private struct State {
        var configuration: Configuration
        var current: PlanText
    }

    private let state: NIOLockedValueBox<State>
    private let queue = DispatchQueue(label: "tandem.dialplan", qos: .userInitiated)
    private let environment: [String: String]
    private let history: RecordStore?
    private let apply: @Sendable (Configuration, Plan) -> Void
    private let logger: Logger
    private let now: @Sendable () -> Date

    /// - Parameters:
    ///   - environment: what `${NAME}` in the configuration takes its values from.
    ///   - history: where versions are kept.
    ///   - apply: makes the gateway route by another configuration and plan from now on.
    init(
        configuration: Configuration, plan: LoadedPlan, environment: [String: String], history: RecordStore?, logger: Logger,
        now: @escaping @Sendable () -> Date = { Date() }, apply: @escaping @Sendable (Configuration, Plan) -> Void
    ) {
        state = NIOLockedValueBox(State(configuration: configuration, current: PlanText(plan: plan.plan, text: plan.text)))
        self.environment = environment
        self.history = history
        self.logger = logger
        self.now = now
        self.apply = apply
        queue.async { self.keep(self.current, author: "file") }
    }

    /// The plan in force.
    var current: PlanText { state.withLockedValue { $0.current } }

    /// The configuration in force.
    var configuration: Configuration { state.withLockedValue { $0.configuration } }

    /// What a plan would be worth here; nothing changes.
    func check(_ text: [UInt8]) async -> Verdict {
        await aside { self.load(text) }
    }

    /// Past calls through another plan, beside the one in force.
    func whatIf(_ calls: [PastCall], _ plan: Plan) async -> WhatIfReport {
        await aside { WhatIf.compare(calls: calls, before: self.current.plan, after: plan) }
    }

    /// Puts a plan in force and into its file.
    /// - Parameters:
    ///   - ifMatch: the `If-Match` field, which names the plan that was edited.
    ///   - author: who did it, for the history.
    func put(_ text: [UInt8], ifMatch: String, author: String) async -> Result<Change, Refusal> {
        await inTurn { Result { () throws(Refusal) in try self.replace(text, ifMatch, author) } }
    }

    /// Reads configuration and dial plan anew (SIGHUP): dial plan, trunks, agents and limits change, or nothing does.
    /// - Returns: whether they did.
    @discardableResult
    func reload() async -> Bool {
        await inTurn { self.readFiles() }
    }

    // MARK: On the queue

    private func load(_ text: [UInt8]) -> Verdict {
        let configuration = configuration
        let (plan, problems) = Plan.load(bytes: text, file: configuration.dialplan, context: configuration.planContext)
        return Verdict(plan: plan, problems: problems)
    }

    private func replace(_ text: [UInt8], _ ifMatch: String, _ author: String) throws(Refusal) -> Change {
        let old = current, path = configuration.dialplan
        guard PlanText.matches(ifMatch, etag: old.etag) else { throw .stale }
        let verdict = load(text)
        guard let plan = verdict.plan else { throw .invalid(verdict.problems) }
        let onDisk: [UInt8]
        do { onDisk = try ConfigurationFile.read(path, limit: YAMLReader.maximumBytes) } catch { throw .unwritable(error.reason) }
        guard onDisk == old.text || onDisk == text else { throw .fileChanged }
        if onDisk != text {
            let suffix = hexadecimal(UInt64.random(in: .min ... .max))
            do { try AtomicFile.replace(path, with: text, suffix: suffix) } catch { throw .unwritable(error.reason) }
        }
        let new = PlanText(plan: plan, text: text)
        state.withLockedValue { $0.current = new }
        apply(configuration, plan)
        let diff = announce(from: old, to: new, author: author)
        return Change(current: new, version: keep(new, author: author), diff: diff, warnings: verdict.problems)
    }

    private func readFiles() -> Bool {
        let old = configuration
        let (loaded, plan, problems) = Configuration.loadWithText(path: old.file, environment: environment)
        for problem in problems { logger.warning("reload: \(problem)") }
        guard let loaded, let plan else {
            logger.error("reload refused: the old dial plan and trunks stay")
            return false
        }
        var next = old
        next.dialplan = loaded.dialplan
        next.trunks = loaded.trunks
        next.agents = loaded.agents
        next.limits = loaded.limits
        next.calls.retentionDays = loaded.calls.retentionDays
        let before = current, after = PlanText(plan: plan.plan, text: plan.text), configuration = next
        state.withLockedValue { $0 = State(configuration: configuration, current: after) }
        history?.setRetention(days: configuration.calls.retentionDays)
        apply(configuration, after.plan)
        logger.notice("reloaded dial plan, trunks and agents")
        announce(from: before, to: after, author: "file")
        keep(after, author: "file")
        return true
    }

    /// Says which routes are not as they were.
    @discardableResult
    private func announce(from old: PlanText, to new: PlanText, author: String) -> PlanDiff {
        let diff = PlanDiff(old: old.plan, new: new.plan)
        guard old.etag != new.etag else { return diff }
        logger.notice("a new dial plan is in force", metadata: ["author": "\(author)", "etag": "\(new.etag)"])
        // A plan of thousands of routes may change whole; the API tells all of it.
        for line in diff.lines.prefix(Self.announcedLines) { logger.notice("dial plan: \(line)") }
        if diff.lines.count > Self.announcedLines { logger.notice("dial plan: and \(diff.lines.count - Self.announcedLines) more") }
        return diff
    }

    private static let announcedLines = 100

    @discardableResult
    private func keep(_ plan: PlanText, author: String) -> Int64? {
        do {
            return try history?.addPlan(plan.text, etag: plan.etag, author: author, at: now())
        } catch {
            logger.warning("the dial plan is in force, but not in the history: \(RecordStore.reason(of: error))")
            return nil
        }
    }

    private func inTurn<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { done in queue.async { done.resume(returning: body()) } }
    }

    /// What only looks may take its time beside the changes.
    private func aside<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { done in
            DispatchQueue.global(qos: .utility).async { done.resume(returning: body()) }
        }
    }
}
