import RTCStack
import RTP

/// Finds the leg of a datagram: browsers by 4-tuple, else by the ICE username of a check; trunks by their socket.
final class LegTable {
    private var tuples: [TransportAddress: BrowserLeg] = [:]
    private var ufrags: [String: BrowserLeg] = [:]
    private var trunks = DescriptorTable<(leg: TrunkLeg, isControl: Bool)>()
    /// Datagrams that belong to nobody.
    private(set) var strays = 0

    // MARK: Browsers

    func register(_ leg: BrowserLeg, ufrag: String) { ufrags[ufrag] = leg }

    func remove(_ leg: BrowserLeg) {
        tuples = tuples.filter { $0.value !== leg }
        ufrags = ufrags.filter { $0.value !== leg }
    }

    /// The leg of a datagram on the shared socket. A check names its leg itself, so that a port that a browser used before for
    /// another call cannot go astray.
    /// - Returns: the leg, and whether its 4-tuple is in the table.
    func browser(for datagram: UnsafeRawBufferPointer, from source: TransportAddress) -> (leg: BrowserLeg, isKnown: Bool)? {
        let known = tuples[source]
        if case .stun = PacketKind(datagram), let leg = named(in: datagram) { return (leg, known === leg) }
        if let known { return (known, true) }
        strays += 1
        return nil
    }

    /// The address has shown to be this leg's.
    func learn(_ source: TransportAddress, of leg: BrowserLeg) { tuples[source] = leg }

    private func named(in datagram: UnsafeRawBufferPointer) -> BrowserLeg? {
        guard let ufrag = STUNMessage.localUfrag(of: datagram) else { return nil }
        return ufrags[String(decoding: ufrag, as: UTF8.self)]
    }

    // MARK: Trunks

    func register(_ leg: TrunkLeg, _ port: TrunkPort) {
        if case .trunk(let descriptor) = port.media { trunks[descriptor] = (leg, false) }
        if case .trunk(let descriptor) = port.control { trunks[descriptor] = (leg, true) }
    }

    func remove(_ port: TrunkPort) {
        for case .trunk(let descriptor) in [port.media, port.control] { trunks[descriptor] = nil }
    }

    func trunk(on descriptor: Int32) -> (leg: TrunkLeg, isControl: Bool)? {
        guard let found = trunks[descriptor] else {
            strays += 1
            return nil
        }
        return found
    }

    var isEmpty: Bool { ufrags.isEmpty && trunks.isEmpty }
}
