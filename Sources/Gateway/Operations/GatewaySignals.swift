import Dispatch
import Glibc

/// SIGTERM and SIGINT end the gateway, SIGHUP reloads it.
final class GatewaySignals: @unchecked Sendable {
    private let stream: AsyncStream<Int32>
    /// Kept alive only; never touched again.
    private let sources: [any DispatchSourceSignal]

    init() {
        let (stream, continuation) = AsyncStream<Int32>.makeStream()
        self.stream = stream
        // A peer that closed its socket is told by write's error.
        Glibc.signal(SIGPIPE, SIG_IGN)
        sources = [SIGTERM, SIGINT, SIGHUP].map { number in
            Glibc.signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(number) }
            source.resume()
            return source
        }
    }

    /// Returns at SIGTERM or SIGINT; calls `reload` at every SIGHUP before.
    func wait(reload: () async -> Void) async {
        for await number in stream {
            guard number == SIGHUP else { return }
            await reload()
        }
    }
}
