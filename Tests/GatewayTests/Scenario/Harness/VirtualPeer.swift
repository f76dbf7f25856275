import NIOCore
import RTP
import TestKit

/// A far end on the virtual network, with a bad network of its own in each direction.
class VirtualPeer {
    /// From the peer to the gateway.
    var uplink: LossyNetwork<VirtualDatagram>
    /// From the gateway to the peer.
    var downlink: LossyNetwork<VirtualDatagram>
    let host: TransportAddress
    /// Sends nothing and hears nothing while set: a network that stands still. What is sent waits.
    var isStalled = false
    private var waiting: [VirtualDatagram] = []

    init(host: TransportAddress, seed: UInt64) {
        self.host = host
        uplink = LossyNetwork(seed: seed)
        downlink = LossyNetwork(seed: seed &+ 7919)
    }

    /// One millisecond, or whatever the gateway's step is: sends what is due.
    func step(now: NIODeadline) {}

    func receive(_ datagram: VirtualDatagram, now: NIODeadline) {}

    func transmit(_ bytes: [UInt8], from source: TransportAddress, to target: TransportAddress, now: NIODeadline) {
        waiting.append(VirtualDatagram(bytes: bytes, from: source, to: target))
        release(now: now)
    }

    /// Hands what waits to the network, unless that stands still.
    func release(now: NIODeadline) {
        guard !isStalled, !waiting.isEmpty else { return }
        for datagram in waiting { uplink.send(datagram, bytes: datagram.bytes.count, now: now) }
        waiting.removeAll(keepingCapacity: true)
    }
}
