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

    /// These user names are the leg's, and no others any more.
    func register(_ leg: BrowserLeg, ufrags names: [String]) {
        for name in leg.tableEntries.ufrags where !names.contains(name) { ufrags[name] = nil }
        for name in names { ufrags[name] = leg }
        leg.tableEntries.ufrags = names
    }

    func remove(_ leg: BrowserLeg) {
        for source in leg.tableEntries.sources where tuples[source] === leg { tuples[source] = nil }
        for name in leg.tableEntries.ufrags { ufrags[name] = nil }
        leg.tableEntries = Entries()
    }

    /// What the table has of one browser.
    struct Entries {
        var sources: [TransportAddress] = []
        var ufrags: [String] = []
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

    /// The address has shown to be this leg's. Those that its ICE has forgotten meanwhile go.
    func learn(_ source: TransportAddress, of leg: BrowserLeg) {
        tuples[source] = leg
        var sources = leg.tableEntries.sources.filter { $0 != source && tuples[$0] === leg }
        for old in sources where !leg.owns(old) { tuples[old] = nil }
        sources.removeAll { !leg.owns($0) }
        leg.tableEntries.sources = sources + [source]
    }

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

    /// Entries of browsers: addresses, and user names.
    var browserEntries: (sources: Int, ufrags: Int) { (tuples.count, ufrags.count) }

    var isEmpty: Bool { ufrags.isEmpty && trunks.isEmpty }
}
