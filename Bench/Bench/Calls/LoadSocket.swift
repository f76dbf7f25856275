import CBench

/// A UDP socket on 127.0.0.1 that never waits.
final class LoadSocket {
    struct Arrival {
        let length: Int
        /// The sender's.
        let port: UInt16
        /// Nanoseconds of the wall clock, taken by the kernel: what keeps the bench from reading does not enter.
        let time: Int64
    }

    let port: UInt16
    private let descriptor: Int32

    init() throws {
        var port: UInt16 = 0
        descriptor = bench_socket_open(&port)
        guard descriptor >= 0 else { throw BenchFailure("no socket: error \(-descriptor)") }
        self.port = port
    }

    deinit {
        bench_socket_close(descriptor)
    }

    func receive(into room: UnsafeMutableRawBufferPointer) -> Arrival? {
        var port: UInt16 = 0
        var time: Int64 = 0
        let length = bench_socket_receive(descriptor, room.baseAddress?.assumingMemoryBound(to: UInt8.self), room.count, &port, &time)
        return length < 0 ? nil : Arrival(length: length, port: port, time: time)
    }

    /// All that is there, as text.
    func receiveTexts() -> [(text: String, port: UInt16)] {
        var texts: [(String, UInt16)] = []
        withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 8) { room in
            while let arrival = receive(into: room) {
                texts.append((String(decoding: room[..<arrival.length], as: UTF8.self), arrival.port))
            }
        }
        return texts
    }

    @discardableResult
    func send(_ bytes: [UInt8], to port: UInt16) -> Bool { bench_socket_send(descriptor, bytes, bytes.count, port) == 1 }

    func send(_ text: String, to port: UInt16) { send(Array(text.utf8), to: port) }
}
