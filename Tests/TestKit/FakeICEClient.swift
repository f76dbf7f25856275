import NIOCore
import RTCStack
import RTP

/// The controlling side of ICE as a browser plays it, full ICE toward a lite peer: a check on every pair until it is
/// answered, then one every 2.5 s, USE-CANDIDATE on the pair in use each time (Chrome) or once (Firefox).
public struct FakeICEClient {
    public enum Nomination: Sendable {
        case everyCheck
        case once
        case never
    }

    public struct Check {
        public let bytes: [UInt8]
        public let local: TransportAddress
        public let remote: TransportAddress
    }

    public static let retryInterval = TimeAmount.milliseconds(100)
    public static let keepAliveInterval = TimeAmount.milliseconds(2500)

    private struct Pair {
        var local: TransportAddress
        let remote: TransportAddress
        let priority: UInt32
        var transaction: [UInt8] = []
        var nominates = false
        var isValid = false
        var nextCheck: NIODeadline
    }

    public var credentials: ICECredentials
    public var nomination = Nomination.everyCheck
    /// Starts in the wrong role, as a browser does that does not know that the peer is lite.
    public var claimsControlled = false
    /// An attribute put into each check in addition, for the test of its refusal.
    public var extraAttribute: UInt16?
    public private(set) var errors: [Int] = []
    public private(set) var mappedAddresses: Set<TransportAddress> = []
    /// The pair whose nomination was answered.
    public private(set) var isNominated = false

    private var remote: ICECredentials?
    private var pairs: [Pair] = []
    private var selected: Int?
    private var generator: SeededGenerator

    public init(credentials: ICECredentials, seed: UInt64) {
        self.credentials = credentials
        generator = SeededGenerator(seed: seed)
    }

    public var selectedPair: (local: TransportAddress, remote: TransportAddress)? {
        selected.map { (pairs[$0].local, pairs[$0].remote) }
    }

    public var deadline: NIODeadline? { pairs.map(\.nextCheck).min() }

    /// Begins, or begins again after a restart; the pair in use stays in use until another is nominated.
    public mutating func start(locals: [TransportAddress], remotes: [TransportAddress], remote: ICECredentials, now: NIODeadline) {
        self.remote = remote
        isNominated = false
        selected = nil
        pairs = []
        for local in locals {
            for address in remotes {
                // RFC 8445 section 5.1.2.1: peer-reflexive, local preference falling with each interface.
                let priority = UInt32(110 << 24 | (65535 - pairs.count) << 8 | 255)
                pairs.append(Pair(local: local, remote: address, priority: priority, nextCheck: now + .milliseconds(Int64(pairs.count) * 5)))
            }
        }
    }

    /// Uses, and nominates, the pair from this address from now on.
    public mutating func select(local: TransportAddress, now: NIODeadline) {
        guard let index = pairs.firstIndex(where: { $0.local == local }) else { return }
        selected = index
        isNominated = false
        pairs[index].nextCheck = now
    }

    /// A NAT gave this address another name.
    public mutating func rebind(_ old: TransportAddress, to new: TransportAddress) {
        for index in pairs.indices where pairs[index].local == old { pairs[index].local = new }
    }

    public mutating func expire(now: NIODeadline) -> [Check] {
        guard let remote else { return [] }
        return pairs.indices.filter { pairs[$0].nextCheck <= now }.map { index in
            pairs[index].nominates = index == selected && nomination != .never && (nomination == .everyCheck || !isNominated)
            pairs[index].transaction = (0..<12).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let isSettled = pairs[index].isValid && (index != selected || isNominated || nomination == .never)
            pairs[index].nextCheck = now + (isSettled ? Self.keepAliveInterval : Self.retryInterval)
            return Check(bytes: check(pairs[index], remote), local: pairs[index].local, remote: pairs[index].remote)
        }
    }

    /// An answer to one of the checks.
    public mutating func receive(_ message: STUNMessage, now: NIODeadline) {
        let transaction = Array(message.transaction)
        guard let remote, let index = pairs.firstIndex(where: { $0.transaction == transaction }) else { return }
        switch message.messageClass {
        case .failure:
            errors.append(message.errorCode ?? 0)
            if message.errorCode == 487 {
                claimsControlled.toggle()
                pairs[index].nextCheck = now
            }
        case .success where message.isAuthentic(password: Array(remote.password.utf8)):
            pairs[index].isValid = true
            if let address = message.xorMappedAddress { mappedAddresses.insert(address) }
            if pairs[index].nominates, index == selected { isNominated = true }
            pairs[index].nextCheck = now + Self.keepAliveInterval
            if selected == nil {
                selected = index
                pairs[index].nextCheck = nomination == .never ? pairs[index].nextCheck : now
            }
        default: break
        }
    }

    private func check(_ pair: Pair, _ remote: ICECredentials) -> [UInt8] {
        withUnsafeTemporaryAllocation(byteCount: 512, alignment: 8) { storage in
            var writer = pair.transaction.withUnsafeBytes { STUNWriter(storage, .request, transaction: $0) }
            writer.append(STUNAttribute.username, "\(remote.ufrag):\(credentials.ufrag)".utf8)
            writer.append(claimsControlled ? STUNAttribute.iceControlled : STUNAttribute.iceControlling, UInt64(0x1234_5678_9ABC_DEF0))
            if pair.nominates { writer.append(STUNAttribute.useCandidate, EmptyCollection()) }
            writer.append(STUNAttribute.priority, pair.priority)
            if let extraAttribute { writer.append(extraAttribute, [1, 2, 3]) }
            writer.appendIntegrity(password: Array(remote.password.utf8))
            writer.appendFingerprint()
            return Array(storage[..<writer.length])
        }
    }
}
