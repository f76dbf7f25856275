import Dialplan
import NIOCore
import SIPStack

/// Phones that ring at once: the first that answers is the far end, the others stop ringing. To the call's engine they are one step.
extension SwitchboardCore {
    func callAtOnce(_ phones: [PhoneToRing], _ entry: CallEntry) {
        let id = entry.id
        entries[id]?.branchFailure = nil
        var begun: [Callee] = []
        for phone in phones {
            let status = entries[id].flatMap { subscription(to: $0, phone.callback) }
            switch branch(phone.ways[...], [], number: nil, after: CallEnd(.unreachable), status, id) {
            case .success(let callee): begun.append(callee)
            case .failure(let failure): noteFailure(failure, id)
            }
        }
        guard !begun.isEmpty else { return allFailed(id) }
        entries[id]?.isStepRecorded = begun.contains { $0.step.record }
        // Only now: what is done at once on virtual time must find all of them.
        entries[id]?.branches = begun
        for callee in begun { if let entry = entries[id] { prepare(callee, entry) } }
    }

    /// A phone to ring by what is left of a way's trunks, then by the ways after it.
    private func branch(
        _ ways: ArraySlice<TrunkStep>, _ names: ArraySlice<String>, step: TrunkStep? = nil, number: String?, after failure: CallEnd,
        _ status: StatusSubscription?, _ id: CallID
    ) -> Result<Callee, CallEnd> {
        var (ways, names, failure) = (ways, names, failure)
        var present = step.flatMap { step in number.map { (step, $0) } }
        while true {
            if let (step, number) = present {
                switch next(step, names, number: number, after: failure, id) {
                case .success(var callee):
                    callee.branch = Callee.Branch(ways: ways, recordStep: (entries[id]?.record.steps.count ?? 1) - 1)
                    callee.status = status
                    return .success(callee)
                case .failure(let end): failure = end
                }
            }
            guard let way = ways.popFirst(), let entry = entries[id] else { return .failure(failure) }
            present = way.dialled(for: entry.decision.to).map { (way, $0) }
            names = way.trunks[...]
        }
    }

    /// Whether the phone that answered takes the call. One that answers while another's answer is looked at waits for what comes of that.
    func picks(_ callee: Callee, _ answer: String?, _ entry: CallEntry) -> Bool {
        guard callee.branch != nil, entry.callee?.sip != callee.sip else { return true }
        guard entry.callee == nil else {
            entries[entry.id]?.update(callee.sip) { $0.branch?.answer = answer ?? "" }
            return false
        }
        entries[entry.id]?.branches.removeAll { $0.sip == callee.sip }
        entries[entry.id]?.callee = callee
        return true
    }

    /// The far end is there: the other phones stop ringing, and one that answered a moment later is hung up.
    func letGoOthers(_ id: CallID) {
        guard let entry = entries[id], !entry.branches.isEmpty else { return }
        entries[id]?.isStepRecorded = entry.callee?.step.record == true
        let elsewhere = CallEnd(.noAnswer, sipStatus: 487, detail: "Another phone answered.")
        for callee in entry.branches {
            entries[id]?.record.stepFailed(elsewhere, at: callee.branch?.recordStep)
            limits.leave(callee.trunk.name, call: id)
            letGo(callee, id, elsewhere)
            drop(callee, entry)
        }
    }

    /// One of the phones does not take the call.
    func branchFailed(_ callee: Callee, _ branch: Callee.Branch, rest: ArraySlice<String>, after failure: CallEnd, _ entry: CallEntry) {
        let id = entry.id
        drop(callee, entry)
        switch self.branch(branch.ways, rest, step: callee.step, number: callee.number, after: failure, callee.status, id) {
        case .success(let next):
            entries[id]?.branches.append(next)
            if let entry = entries[id] { prepare(next, entry) }
        case .failure(let end):
            reportEnd(of: callee.status, number: callee.number, TwiMLScript.dialStatus(end), sipStatus: end.sipStatus, id)
            noteFailure(end, id)
            guard let entry = entries[id] else { return }
            // One that answered meanwhile has waited.
            if entry.callee == nil, let waiting = entry.branches.first(where: { $0.branch?.answer != nil }) {
                answered(waiting.sip, waiting.branch?.answer)
            } else if entry.phones.isEmpty {
                allFailed(id)
            }
        }
    }

    private func allFailed(_ id: CallID) {
        let failure = entries[id]?.branchFailure ?? CallEnd(.unreachable)
        entries[id]?.branchFailure = nil
        if let entry = entries[id] {
            outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.dropCallee(now: now) } }
        }
        update(id) { $0.stepFailed(failure, into: &$1) }
    }

    /// Of several failures the caller hears the one that says most of the people behind the phones.
    private func noteFailure(_ failure: CallEnd, _ id: CallID) {
        let order: [EndReason] = [.noAnswer, .busy, .rejected]
        func rank(_ end: CallEnd) -> Int { order.firstIndex(of: end.reason) ?? order.count }
        guard let present = entries[id]?.branchFailure, rank(present) <= rank(failure) else {
            entries[id]?.branchFailure = failure
            return
        }
    }

    private func drop(_ callee: Callee, _ entry: CallEntry) {
        let (id, sip) = (entry.id, callee.sip)
        outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.drop(sip, now: now) } }
    }
}
