import NIOCore

@testable import Gateway

/// Keeps what a dialect sends.
final class MessageWire: AgentTransport {
    var texts: [String] = []
    var binaries: [[UInt8]] = []
    let isWritable = true
    func open(delegate: any AgentTransportDelegate) {}
    func makeBuffer(capacity: Int) -> ByteBuffer { ByteBufferAllocator().buffer(capacity: capacity) }
    func send(text: ByteBuffer) { texts.append(String(buffer: text)) }
    func send(binary: ByteBuffer) { binaries.append(Array(binary.readableBytesView)) }
    func close(code: UInt16) {}
}
