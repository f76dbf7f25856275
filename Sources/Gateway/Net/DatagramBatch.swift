import CShims
import Glibc
import RTP

/// Storage for a batch of datagrams, allocated once: what recvmmsg fills or sendmmsg sends.
final class DatagramBatch {
    private let capacity: Int
    private let slab: UnsafeMutableRawPointer
    private let vectors: UnsafeMutablePointer<iovec>
    private let addresses: UnsafeMutablePointer<sockaddr_in6>
    private let headers: UnsafeMutablePointer<tandem_mmsghdr>
    /// Entries that the last `receive` used, and that the kernel wrote to.
    private var used: Int
    /// Datagrams queued for `flush`.
    private(set) var count = 0

    private static let addressLength = socklen_t(MemoryLayout<sockaddr_in6>.size)

    init(capacity: Int) {
        self.capacity = capacity
        used = capacity
        slab = .allocate(byteCount: capacity * DatagramSize.slot, alignment: 64)
        vectors = .allocate(capacity: capacity)
        addresses = .allocate(capacity: capacity)
        headers = .allocate(capacity: capacity)
        addresses.initialize(repeating: sockaddr_in6(), count: capacity)
        headers.initialize(repeating: tandem_mmsghdr(), count: capacity)
        for index in 0..<capacity {
            vectors[index] = iovec(iov_base: slab + index * DatagramSize.slot, iov_len: DatagramSize.slot)
            headers[index].header.msg_iov = vectors + index
            headers[index].header.msg_iovlen = 1
            headers[index].header.msg_name = UnsafeMutableRawPointer(addresses + index)
        }
    }

    deinit {
        slab.deallocate()
        vectors.deallocate()
        addresses.deallocate()
        headers.deallocate()
    }

    // MARK: Receiving

    /// - Returns: the datagrams that were there, at most the capacity.
    func receive(from descriptor: Int32) -> Int {
        let (vectors, headers) = (vectors, headers)
        for index in 0..<used {
            vectors[index].iov_len = DatagramSize.slot
            headers[index].header.msg_namelen = Self.addressLength
        }
        used = max(0, Int(tandem_recvmmsg(descriptor, headers, UInt32(capacity))))
        return used
    }

    /// The datagram at `index` of the last `receive`; nil when its sender's address cannot be read.
    func received(_ index: Int) -> (UnsafeMutableRawBufferPointer, TransportAddress)? {
        let length = Int(headers[index].length)
        guard let source = TransportAddress(sockaddr: addresses + index, length: Int(headers[index].header.msg_namelen)) else {
            return nil
        }
        return (UnsafeMutableRawBufferPointer(start: slab + index * DatagramSize.slot, count: length), source)
    }

    // MARK: Sending

    var isFull: Bool { count == capacity }

    var freeSlot: UnsafeMutableRawBufferPointer? {
        isFull ? nil : UnsafeMutableRawBufferPointer(start: slab + count * DatagramSize.slot, count: DatagramSize.slot)
    }

    /// Queues the free slot.
    func commit(length: Int, to address: TransportAddress) {
        guard !isFull else { return }
        vectors[count].iov_len = length
        headers[count].header.msg_namelen = address.write(sockaddr: addresses + count)
        count += 1
    }

    /// Sends the free slot at once on a socket of its own, and leaves the queue as it is.
    /// - Returns: the datagrams taken, 0 or 1.
    func sendNow(length: Int, to address: TransportAddress, on descriptor: Int32) -> Int {
        guard !isFull else { return 0 }
        let addressLength = address.write(sockaddr: addresses + count)
        let sent = addresses.advanced(by: count).withMemoryRebound(to: sockaddr.self, capacity: 1) {
            sendto(descriptor, slab + count * DatagramSize.slot, length, Int32(MSG_DONTWAIT), $0, addressLength)
        }
        return sent >= 0 ? 1 : 0
    }

    /// Sends everything queued. What the kernel does not take is dropped, one by one, so that one bad address cannot hold up
    /// the others.
    /// - Returns: the datagrams taken.
    func flush(on descriptor: Int32) -> Int {
        var done = 0
        var taken = 0
        while done < count {
            let result = Int(tandem_sendmmsg(descriptor, headers + done, UInt32(count - done)))
            taken += max(0, result)
            done += result > 0 ? result : 1
        }
        count = 0
        return taken
    }
}
