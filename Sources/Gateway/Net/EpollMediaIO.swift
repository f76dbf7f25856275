import CShims
import Glibc
import NIOCore
import RTP

/// Raw non-blocking sockets in an epoll set: recvmmsg until empty; everything is sent at the end of a turn, by one sendmmsg for the
/// socket that browsers share.
///
/// Not NIO channels: one per call costs 12 µs and two allocations a packet, this 5 and none (SWIFT-NOTES section 2).
///
/// Edge-triggered: else the kernel asks every socket that was ready once more in the next turn, whether there is more. A socket that
/// is not read until it is empty is watched anew.
final class EpollMediaIO: MediaIO {
    let browserAddress: TransportAddress
    private(set) var counters = MediaIOCounters()

    private let browserSocket: Int32
    let epoll: Int32
    private let ports: PortPool
    private let trunkHost: TransportAddress
    private let receiving: DatagramBatch
    private let sending: DatagramBatch
    private let ready: UnsafeMutablePointer<epoll_event>
    var streams = DescriptorTable<any StreamReader>()
    var channels = 0
    let streamsToWrite = StreamBatch()
    /// Streams of which the kernel took no more in the present flush.
    var refused: [Int32] = []
    /// What a stream is read into.
    var streamRoom = ByteBuffer()

    /// Sockets reported by one epoll_wait; what is beyond comes in the next turn, a millisecond later.
    private static let mostReady = 512
    /// Datagrams of one recvmmsg or sendmmsg.
    private static let batch = 64
    /// The shared socket of all browsers of a loop: the kernel's default loses packets in bursts (SWIFT-NOTES section 2).
    private static let browserBuffer = 4 << 20
    /// recvmmsg rounds on one socket in one turn, so that a flood on one cannot starve the others.
    private static let mostRounds = 64

    /// - Parameters:
    ///   - browser: where browsers come in; port 0 for any
    ///   - trunkHost: the address trunk ports are bound to, port ignored
    init(browser: TransportAddress, trunkHost: TransportAddress, ports: PortPool) throws(BindError) {
        browserSocket = try DatagramSocket.open(browser, receiveBuffer: Self.browserBuffer)
        browserAddress = DatagramSocket.address(of: browserSocket) ?? browser
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        self.ports = ports
        self.trunkHost = trunkHost
        receiving = DatagramBatch(capacity: Self.batch)
        sending = DatagramBatch(capacity: Self.batch)
        ready = .allocate(capacity: Self.mostReady)
        watch(browserSocket)
    }

    deinit { ready.deallocate() }

    func openTrunkPort() -> TrunkPort? {
        ports.open { number in
            let media = trunkHost.with(port: UInt16(number))
            guard let first = try? DatagramSocket.open(media) else { return nil }
            guard let second = try? DatagramSocket.open(media.with(port: UInt16(number + 1))) else {
                Glibc.close(first)
                return nil
            }
            watch(first)
            watch(second)
            return TrunkPort(media: .trunk(first), control: .trunk(second), number: number)
        }
    }

    func close(_ port: TrunkPort, wasTold: Bool) {
        // A goodbye may wait.
        flushDatagrams()
        for case .trunk(let descriptor) in [port.media, port.control] { Glibc.close(descriptor) }
        ports.release(port.number, rests: wasTold)
    }

    func poll(into receiver: any DatagramReceiver) {
        let count = epoll_wait(epoll, ready, Int32(Self.mostReady), 0)
        guard count > 0 else { return }
        for index in 0..<Int(count) {
            let reported = ready[index].data.u64
            let descriptor = Int32(truncatingIfNeeded: reported)
            if reported & Self.streamFlag != 0 {
                read(stream: descriptor, isEnding: ready[index].events & Self.endings != 0)
            } else {
                drain(descriptor, into: receiver)
            }
        }
    }

    private func drain(_ descriptor: Int32, into receiver: any DatagramReceiver) {
        let socket = descriptor == browserSocket ? MediaSocket.browser : .trunk(descriptor)
        for _ in 0..<Self.mostRounds {
            let count = receiving.receive(from: descriptor)
            for index in 0..<count {
                guard let (datagram, source) = receiving.received(index) else { continue }
                counters.received += 1
                receiver.receive(datagram, on: socket, from: source)
            }
            if count < Self.batch { return }
        }
        watch(descriptor, as: UInt64(UInt32(bitPattern: descriptor)), anew: true)
    }

    func slot() -> UnsafeMutableRawBufferPointer? {
        if sending.isFull { flushDatagrams() }
        return sending.freeSlot
    }

    func send(length: Int, on socket: MediaSocket, to address: TransportAddress) {
        switch socket {
        case .browser: sending.commit(length: length, to: address, on: browserSocket)
        case .trunk(let descriptor): sending.commit(length: length, to: address, on: descriptor)
        }
    }

    func flush() {
        flushDatagrams()
        flushStreams()
    }

    private func flushDatagrams() {
        let queued = sending.count
        guard queued > 0 else { return }
        let sent = sending.flush()
        counters.sent += sent
        counters.sendFailures += queued - sent
    }

    func close() {
        streams = DescriptorTable()
        Glibc.close(browserSocket)
        Glibc.close(epoll)
    }

    private func watch(_ descriptor: Int32) { watch(descriptor, as: UInt64(UInt32(bitPattern: descriptor))) }

    /// - Parameter name: what epoll reports it by; the descriptor is its lower half
    func watch(_ descriptor: Int32, as name: UInt64, anew: Bool = false) {
        var event = epoll_event()
        event.events = EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        event.data.u64 = name
        _ = epoll_ctl(epoll, anew ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, &event)
    }
}
