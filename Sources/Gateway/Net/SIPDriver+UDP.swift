import NIOCore
import NIOPosix
import SIPStack

extension SIPDriver {
    /// The largest UDP payload, so that no message is cut short.
    private static let datagramSize = 65_536

    /// Room for a burst of a thousand messages while the loop is busy; the system may grant less.
    private static let receiveBuffer = 1_048_576

    /// Binds one address without reading from it yet.
    func bind(_ address: SIPListenAddress, listener: Int) async throws -> any Channel {
        do {
            switch address.transport {
            case .udp:
                return try await DatagramBootstrap(group: loop)
                    .channelOption(.autoRead, value: false)
                    .channelOption(.socketOption(.so_rcvbuf), value: Self.receiveBuffer)
                    .channelOption(.writeBufferWaterMark, value: .init(low: settings.maximumUnsentBytes / 4, high: settings.maximumUnsentBytes))
                    .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.datagramSize))
                    .channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(SIPDatagramHandler(driver: self, listener: listener))
                        }
                    }
                    .bind(host: address.host, port: address.port).get()
            case .tcp:
                return try await serverBootstrap(listener: listener).bind(host: address.host, port: address.port).get()
            case .tls:
                throw BindError(address: address.description, reason: "TLS is not available")
            }
        } catch let error as BindError {
            throw error
        } catch {
            throw BindError(address: address.description, reason: Self.reason(error))
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as IOError: error.description
        case let error as SocketAddressError: "\(error)"
        default: String(describing: error)
        }
    }
}

/// Hands the datagrams of one socket to the driver.
private final class SIPDatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let driver: SIPDriver
    private let listener: Int

    init(driver: SIPDriver, listener: Int) {
        self.driver = driver
        self.listener = listener
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        guard let remote = HostAddress.sipAddress(envelope.remoteAddress) else { return }
        let flow = SIPFlow(transport: .udp, remote: remote, listener: listener)
        envelope.data.withUnsafeReadableBytes { driver.receive($0, from: flow) }
    }

    /// An ICMP error of one peer is no reason to stop listening to the others.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}
