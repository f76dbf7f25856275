import Dialplan
import NIOCore
import SIPStack

/// Transfers by the caller's own phone: its trunk is asked by REFER to call somebody else (RFC 3515), and our call ends when that call is
/// answered. Whom it may be asked to call is the dial plan's to say, as for every transfer.
extension SwitchboardCore {
    /// Starts such a transfer, or says why not.
    func refer(_ transfer: AgentTransfer, _ id: CallID) -> Result<Void, TransferRefusal> {
        guard let entry = entries[id], let sip = entry.sipCall else {
            return .failure(TransferRefusal(httpStatus: 409, detail: "Only a caller by a trunk can be asked to call somebody else."))
        }
        guard entry.call.isTransferable, entry.callee == nil, entry.invitation == nil else {
            return .failure(TransferRefusal(httpStatus: 409, detail: "The call is not connected, or is being transferred already."))
        }
        guard let (steps, decision) = destination(transfer, entry), case .trunk(let step)? = steps.first,
            let number = step.dialled(for: (decision ?? entry.decision).to), let target = referTarget(step)
        else {
            return .failure(TransferRefusal(httpStatus: 404, detail: "No route of the dial plan leads to a phone there."))
        }
        entries[id]?.transferReference = transfer.reference
        note("Transfer by REFER.", id)
        entry.logger.info("transfer by REFER", metadata: ["to": "\(Redacted(number: number))"])
        let limit = TimeAmount.seconds(Int64(step.ringSeconds ?? Self.referSeconds))
        update(id) { $0.refer(into: &$1) }
        outlets.sip { $0.refer(sip, to: number, at: target, limit: limit, now: $1, into: &$2) }
        return .success(())
    }

    /// How long a phone may take to have its own call answered.
    private static let referSeconds = 60

    /// The host that the plan would have the number dialled at.
    private func referTarget(_ step: TrunkStep) -> SIPTarget? {
        step.trunks.lazy.compactMap { self.settings.configuration.trunk(named: $0) }.compactMap { self.targets(of: $0).first }.first
    }

    /// What the phone tells of its own call.
    func referral(_ sip: SIPCallID, _ referral: SIPReferral) {
        guard let entry = entry(of: sip), !entry.isCallee(sip) else { return }
        switch referral {
        case .accepted: update(entry.id) { call, _ in call.referAccepted() }
        case .ringing: update(entry.id) { $0.referProgressed(into: &$1) }
        case .succeeded: update(entry.id) { $0.referEnded(nil, into: &$1) }
        case .failed(let status):
            let failure = CallEnd(EndReason(sipStatus: status), sipStatus: status, detail: "The caller's phone could not be transferred (\(status)).")
            update(entry.id) { $0.referEnded(failure, into: &$1) }
        }
    }
}
