import CShims
import Glibc

/// The way past an event loop to the TCP socket of one of its channels: read in the media loop's turn, written at its end.
///
/// A channel wakes its thread for every message that comes and carries every message sent through a pipeline and a queue of
/// pending writes; with a message each way per call and slot that was a third of the cost of a call with an agent. The channel
/// keeps the connection: it makes and closes it, and takes what the kernel does not take at once.
final class DirectSocket {
    private let descriptor: Int32
    private let set: any StreamSet
    private var isOpen = true

    /// Watches a duplicate of the channel's descriptor, for the channel may close its own before we know.
    /// - Returns: nil when the process has no descriptor left
    init?(duplicating channel: Int32, reader: any StreamReader, in set: any StreamSet) {
        descriptor = fcntl(channel, F_DUPFD_CLOEXEC, 0)
        self.set = set
        guard descriptor >= 0 else { return nil }
        set.watch(stream: descriptor, reader: reader)
    }

    deinit { close() }

    func write(_ bytes: UnsafeRawBufferPointer) {
        guard isOpen else { return }
        set.send(bytes, on: descriptor)
    }

    /// To be called when the channel is closed at the latest: the connection lives as long as either descriptor.
    func close() {
        guard isOpen else { return }
        isOpen = false
        set.unwatch(stream: descriptor)
        Glibc.close(descriptor)
    }
}
