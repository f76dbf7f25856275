import RTP

@testable import Gateway

/// One datagram on the virtual network.
struct VirtualDatagram {
    var bytes: [UInt8]
    var from: TransportAddress
    var to: TransportAddress
}

/// A media loop's sockets on the virtual network.
final class VirtualMediaIO: MediaIO {
    let browserAddress: TransportAddress
    private(set) var counters = MediaIOCounters()
    /// What the loop sent since it was last taken.
    private var outbox: [VirtualDatagram] = []
    private var inbox: [(datagram: VirtualDatagram, socket: MediaSocket)] = []
    private var sockets: [UInt16: Int32] = [:]
    private var portNumbers: [Int32: UInt16] = [:]
    private var nextDescriptor: Int32 = 100
    private let ports: PortPool
    private let storage = UnsafeMutableRawBufferPointer.allocate(byteCount: DatagramSize.slot, alignment: 16)

    init(browserAddress: TransportAddress, ports: PortPool) {
        self.browserAddress = browserAddress
        self.ports = ports
    }

    deinit { storage.deallocate() }

    /// Trunk ports that are open now.
    var openPorts: Int { sockets.count / 2 }

    func openTrunkPort() -> TrunkPort? {
        ports.open { number in
            TrunkPort(media: .trunk(bind(number)), control: .trunk(bind(number + 1)), number: number)
        }
    }

    private func bind(_ number: Int) -> Int32 {
        nextDescriptor += 1
        sockets[UInt16(number)] = nextDescriptor
        portNumbers[nextDescriptor] = UInt16(number)
        return nextDescriptor
    }

    func close(_ port: TrunkPort, wasTold: Bool) {
        for case .trunk(let descriptor) in [port.media, port.control] {
            if let number = portNumbers.removeValue(forKey: descriptor) { sockets[number] = nil }
        }
        ports.release(port.number, rests: wasTold)
    }

    /// Whether a socket of this loop is bound there; if so, the datagram waits for the next poll.
    func take(_ datagram: VirtualDatagram) -> Bool {
        if datagram.to == browserAddress {
            inbox.append((datagram, .browser))
            return true
        }
        guard datagram.to.hasSameHost(as: browserAddress), let descriptor = sockets[datagram.to.port] else { return false }
        inbox.append((datagram, .trunk(descriptor)))
        return true
    }

    func poll(into receiver: any DatagramReceiver) {
        let arrived = inbox
        inbox.removeAll(keepingCapacity: true)
        for (datagram, socket) in arrived {
            counters.received += 1
            var bytes = datagram.bytes
            bytes.withUnsafeMutableBytes { receiver.receive($0, on: socket, from: datagram.from) }
        }
    }

    func slot() -> UnsafeMutableRawBufferPointer? { storage }

    func send(length: Int, on socket: MediaSocket, to address: TransportAddress) {
        var source = browserAddress
        if case .trunk(let descriptor) = socket {
            // As a closed descriptor would refuse it.
            guard let number = portNumbers[descriptor] else {
                counters.sendFailures += 1
                return
            }
            source = browserAddress.with(port: number)
        }
        counters.sent += 1
        outbox.append(VirtualDatagram(bytes: Array(storage[0..<length]), from: source, to: address))
    }

    func flush() {}

    func close() {}

    func takeOutbox() -> [VirtualDatagram] {
        guard !outbox.isEmpty else { return [] }
        defer { outbox.removeAll(keepingCapacity: true) }
        return outbox
    }
}
