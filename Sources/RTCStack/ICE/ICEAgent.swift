import NIOCore
import RTP

/// ICE of a side that has public addresses (lite, RFC 8445 section 2.5): it answers checks, sends none, and is always
/// the controlled one.
public struct ICEAgent {
    /// What one check changed.
    public struct Result: Sendable, Hashable {
        /// Bytes of the answer in the storage given; 0 when nothing is to be answered.
        public var answerLength: Int
        /// The sender knows our password: this is a sign of life.
        public var isAuthentic: Bool
        /// The answer is a refusal, or there is none because the message makes no sense here.
        public var isRefused: Bool
        /// The first check of this address that succeeded.
        public var isNewAddress: Bool
        /// Media goes to another address than before.
        public var selectionChanged: Bool

        public init(
            answerLength: Int = 0, isAuthentic: Bool = false, isRefused: Bool = false, isNewAddress: Bool = false,
            selectionChanged: Bool = false
        ) {
            self.answerLength = answerLength
            self.isAuthentic = isAuthentic
            self.isRefused = isRefused
            self.isNewAddress = isNewAddress
            self.selectionChanged = selectionChanged
        }
    }

    /// A browser has a handful of interfaces; beyond this the address heard from longest ago is forgotten.
    public static let addressLimit = 16

    private struct Generation {
        let credentials: ICECredentials
        let ufrag: [UInt8]
        let password: [UInt8]

        init(_ credentials: ICECredentials) {
            self.credentials = credentials
            ufrag = Array(credentials.ufrag.utf8)
            password = Array(credentials.password.utf8)
        }
    }

    private struct Remote {
        let address: TransportAddress
        var lastCheck: NIODeadline
    }

    private struct Nomination {
        let address: TransportAddress
        let priority: UInt32
        let time: NIODeadline
    }

    private var current: Generation
    /// The credentials before a restart, until the peer proves that it has the new ones.
    private var previous: Generation?
    private var remotes: [Remote] = []
    private var nomination: Nomination?

    public init(local: ICECredentials) {
        current = Generation(local)
        remotes.reserveCapacity(Self.addressLimit)
    }

    public var local: ICECredentials { current.credentials }

    /// The user names whose checks are answered: one, or two after a restart.
    public var localUfrags: [String] { [current.credentials.ufrag] + (previous.map { [$0.credentials.ufrag] } ?? []) }

    /// Where media goes: the pair nominated last.
    public var selectedAddress: TransportAddress? { nomination?.address }

    /// The address whose check succeeded last, nominated or not.
    public var latestAddress: TransportAddress? { remotes.max { $0.lastCheck < $1.lastCheck }?.address }

    /// Whether a check from this address succeeded: only such an address may speak DTLS.
    public func isValidated(_ address: TransportAddress) -> Bool { remotes.contains { $0.address == address } }

    /// New credentials of ours (RFC 8445 section 2.4). The old ones stay good, and media stays where it is, until the
    /// first check with the new ones.
    public mutating func restart(local: ICECredentials) {
        guard local != current.credentials else { return }
        // A second restart before the first took hold: the peer still has the oldest ones.
        if previous == nil { previous = current }
        current = Generation(local)
    }

    /// Answers a check.
    /// - Parameter storage: 256 bytes for the answer
    public mutating func receive(
        _ message: STUNMessage, from source: TransportAddress, now: NIODeadline, answer storage: UnsafeMutableRawBufferPointer
    ) -> Result {
        // Responses answer nothing of ours; indications (keep-alives of old agents) are not authenticated.
        guard message.messageClass == .request, message.method == STUNMessage.bindingMethod else {
            return Result(isRefused: true)
        }
        guard let username = message.username, message.hasIntegrity else {
            return refuse(message, 400, "Bad Request", password: nil, storage)
        }
        guard let (generation, isCurrent) = generation(username), message.isAuthentic(password: generation.password) else {
            return refuse(message, 401, "Unauthenticated", password: nil, storage)
        }
        if !message.unknownRequired.isEmpty {
            return refuse(message, 420, "Unknown Attribute", password: generation.password, storage)
        }
        guard let priority = message.priority else {
            return refuse(message, 400, "Bad Request", password: generation.password, storage)
        }
        if message.controlled != nil {
            // Both controlled: RFC 8445 section 7.3.1.1. A lite agent cannot be the controlling one.
            return refuse(message, 487, "Role Conflict", password: generation.password, storage)
        }
        if isCurrent { previous = nil }
        var result = Result(isAuthentic: true)
        result.isNewAddress = remember(source, now)
        if message.useCandidate { result.selectionChanged = nominate(source, priority, now) }
        var writer = STUNWriter(storage, .success, transaction: message.transaction)
        writer.append(xorMappedAddress: source)
        writer.appendIntegrity(password: generation.password)
        writer.appendFingerprint()
        result.answerLength = writer.length
        return result
    }

    /// Whose user name this is. Only our half counts (RFC 8445 section 7.3): the peer's may not be known yet.
    private func generation(_ username: UnsafeRawBufferPointer) -> (Generation, isCurrent: Bool)? {
        guard let ufrag = STUNMessage.localUfrag(ofUsername: username) else { return nil }
        if ufrag.elementsEqual(current.ufrag) { return (current, true) }
        if let previous, ufrag.elementsEqual(previous.ufrag) { return (previous, false) }
        return nil
    }

    /// An error answer; signed once the sender is authenticated (RFC 8489 section 9.1.3).
    private func refuse(
        _ message: STUNMessage, _ code: Int, _ reason: StaticString, password: [UInt8]?, _ storage: UnsafeMutableRawBufferPointer
    ) -> Result {
        var writer = STUNWriter(storage, .failure, transaction: message.transaction)
        writer.append(errorCode: code, reason: reason)
        if code == 420 { writer.append(unknownAttributes: message.unknownRequired) }
        if let password { writer.appendIntegrity(password: password) }
        writer.appendFingerprint()
        return Result(answerLength: writer.length, isAuthentic: password != nil, isRefused: true)
    }

    /// True for an address not seen before (a peer-reflexive candidate, as every remote one is to us).
    private mutating func remember(_ address: TransportAddress, _ now: NIODeadline) -> Bool {
        if let index = remotes.firstIndex(where: { $0.address == address }) {
            remotes[index].lastCheck = now
            return false
        }
        if remotes.count == Self.addressLimit {
            let unselected = remotes.indices.filter { remotes[$0].address != nomination?.address }
            if let oldest = unselected.min(by: { remotes[$0].lastCheck < remotes[$1].lastCheck }) { remotes.remove(at: oldest) }
        }
        remotes.append(Remote(address: address, lastCheck: now))
        return true
    }

    /// The pair nominated last wins, for Chrome nominates with every check on the pair it uses; of two in the same
    /// turn the one of higher priority, which is the choice of an aggressive nominator. True when the address changed.
    private mutating func nominate(_ address: TransportAddress, _ priority: UInt32, _ now: NIODeadline) -> Bool {
        if let nomination, nomination.address != address, nomination.time == now, nomination.priority >= priority { return false }
        let changed = nomination?.address != address
        nomination = Nomination(address: address, priority: priority, time: now)
        return changed
    }
}
