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
    /// The socket that each queued datagram goes out of.
    private let descriptors: UnsafeMutablePointer<Int32>
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
        descriptors = .allocate(capacity: capacity)
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
        descriptors.deallocate()
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
    func commit(length: Int, to address: TransportAddress, on descriptor: Int32) {
        guard !isFull else { return }
        descriptors[count] = descriptor
        vectors[count].iov_len = length
        headers[count].header.msg_namelen = address.write(sockaddr: addresses + count)
        count += 1
    }

    /// Sends everything queued. What the kernel does not take is dropped, one by one, so that one bad address cannot hold up
    /// the others.
    /// - Returns: the datagrams taken.
    func flush() -> Int {
        let descriptors = descriptors
        var done = 0
        var taken = 0
        while done < count {
            var end = done + 1
            while end < count, descriptors[end] == descriptors[done] { end += 1 }
            taken += send(done..<end)
            done = end
        }
        count = 0
        return taken
    }

    /// Datagrams that go out of one socket; what goes out of a phone's is alone most times, and sendto costs less then.
    private func send(_ range: Range<Int>) -> Int {
        let descriptor = descriptors[range.lowerBound]
        if range.count == 1 { return sendOne(range.lowerBound, on: descriptor) }
        var done = range.lowerBound
        var taken = 0
        while done < range.upperBound {
            let result = Int(tandem_sendmmsg(descriptor, headers + done, UInt32(range.upperBound - done)))
            taken += max(0, result)
            done += result > 0 ? result : 1
        }
        return taken
    }

    private func sendOne(_ index: Int, on descriptor: Int32) -> Int {
        let sent = (addresses + index).withMemoryRebound(to: sockaddr.self, capacity: 1) {
            sendto(descriptor, slab + index * DatagramSize.slot, vectors[index].iov_len, Int32(MSG_DONTWAIT), $0, headers[index].header.msg_namelen)
        }
        return sent >= 0 ? 1 : 0
    }
}
