import Foundation
import NIOCore

@testable import Gateway

/// A WebSocket in memory, one end of which is the gateway's.
final class FakeSocket: AgentTransport {
    var isWritable = true
    private(set) var isUp = false
    private(set) var closeCode: UInt16?
    private weak var delegate: (any AgentTransportDelegate)?
    private let isReachable: Bool
    private var openAt: NIODeadline?
    private var closeAt: NIODeadline?
    private var now: NIODeadline
    private let opened: (FakeSocket) -> Void
    private let heard: (Data) -> Void

    /// - Parameters:
    ///   - isReachable: else nobody answers the dial
    ///   - opened: the gateway's request was answered
    ///   - heard: a text of the gateway's
    init(isReachable: Bool, now: NIODeadline, opened: @escaping (FakeSocket) -> Void, heard: @escaping (Data) -> Void) {
        self.isReachable = isReachable
        self.now = now
        self.opened = opened
        self.heard = heard
    }

    func open(delegate: any AgentTransportDelegate) {
        self.delegate = delegate
        if isReachable { openAt = now + .milliseconds(2) } else { closeAt = now + .milliseconds(2) }
    }

    func makeBuffer(capacity: Int) -> ByteBuffer { ByteBufferAllocator().buffer(capacity: capacity) }
    func send(text: ByteBuffer) { if isUp { heard(Data(text.readableBytesView)) } }
    func send(binary: ByteBuffer) {}

    func close(code: UInt16) {
        closeCode = code
        openAt = nil
        if isUp { closeAt = now + .milliseconds(1) }
        isUp = false
    }

    func step(now: NIODeadline) {
        self.now = now
        if let openAt, openAt <= now {
            self.openAt = nil
            isUp = true
            delegate?.transportOpened(now: now)
            opened(self)
        }
        if let closeAt, closeAt <= now {
            self.closeAt = nil
            delegate?.transportClosed(code: closeCode, reason: closeCode == nil ? "connection refused" : "closed", now: now)
        }
    }

    /// What the agent says.
    func post(_ text: String) { if isUp { delegate?.transportReceived(text: ByteBuffer(string: text), now: now) } }
    func post(binary bytes: [UInt8]) { if isUp { delegate?.transportReceived(binary: ByteBuffer(bytes: bytes), now: now) } }

    /// The agent closes, or its connection breaks (nil).
    func cut(code: UInt16? = nil) {
        guard isUp else { return }
        isUp = false
        delegate?.transportClosed(code: code, reason: "connection reset", now: now)
    }
}
