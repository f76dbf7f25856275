import Foundation
import NIOCore
import Transcode

@testable import Gateway

/// An agent of `tandem.media.v1` at the other end of sockets in memory, one after the other.
///
/// It writes down what it is told, accepts calls and comes back to them, and says what the test wants.
final class FakeTandemAgent {
    /// One socket, as the gateway dials it.
    final class Socket: AgentTransport {
        private let agent: FakeTandemAgent
        fileprivate weak var delegate: (any AgentTransportDelegate)?
        fileprivate var openAt: NIODeadline?
        fileprivate var closeAt: NIODeadline?
        fileprivate(set) var isUp = false
        fileprivate(set) var closeCode: UInt16?
        var isWritable = true

        fileprivate init(_ agent: FakeTandemAgent) { self.agent = agent }

        func open(delegate: any AgentTransportDelegate) {
            self.delegate = delegate
            openAt = agent.isReachable ? agent.now + .milliseconds(2) : nil
            closeAt = agent.isReachable ? nil : agent.now + .milliseconds(2)
        }

        func makeBuffer(capacity: Int) -> ByteBuffer { ByteBufferAllocator().buffer(capacity: capacity) }
        func send(text: ByteBuffer) { if isUp { agent.hear(text: Data(text.readableBytesView)) } }
        func send(binary: ByteBuffer) { if isUp { agent.hear(binary: Array(binary.readableBytesView)) } }

        func close(code: UInt16) {
            closeCode = code
            openAt = nil
            if isUp { closeAt = agent.now + .milliseconds(1) }
            isUp = false
        }

        fileprivate func step(now: NIODeadline) {
            if let openAt, openAt <= now {
                self.openAt = nil
                isUp = true
                delegate?.transportOpened(now: now)
            }
            if let closeAt, closeAt <= now {
                self.closeAt = nil
                delegate?.transportClosed(code: closeCode, reason: closeCode == nil ? "connection refused" : "closed", now: now)
            }
        }
    }

    /// What it says to `start`; nil to say nothing.
    var accept: String? = #"{"event":"accept","id":1,"format":{"codec":"pcm_s16le","rate":8000,"channels":1,"frame_ms":20}}"#
    /// What it says to `resume`; `{pts}` and `{seq}` stand for the next wanted sample and the last event seen.
    var comeBack = #"{"event":"accept","id":1,"resumed":true,"caller_pts":{pts},"last_seq":{seq}}"#
    var isReachable = true
    private(set) var sockets: [Socket] = []
    private(set) var events: [[String: Any]] = []
    /// When the events came.
    private(set) var times: [NIODeadline] = []
    /// The caller's samples, by their place; what never came is silence.
    private(set) var heard: [Int16] = []
    private(set) var binary: [(flags: UInt8, seq: UInt32, pts: Int, samples: Int)] = []
    /// Whose sound each of them is.
    private(set) var tracks: [UInt16] = []
    /// It accepts the caller's sound as Opus: `packets` fills, and `heard` does not.
    var takesPackets = false
    private(set) var packets: [(flags: UInt8, pts: Int, payload: [UInt8])] = []
    private var packetsEnd = 0
    private var sentPTS = 0
    private var sentSeq: UInt32 = 0
    private(set) var now: NIODeadline

    init(now: NIODeadline) { self.now = now }

    var socket: Socket? { sockets.last }
    var names: [String] { events.compactMap { $0["event"] as? String } }
    func events(_ name: String) -> [[String: Any]] { events.filter { $0["event"] as? String == name } }
    var nextPTS: Int { takesPackets ? packetsEnd : heard.count }
    var lastSeq: Int { events.compactMap { $0["seq"] as? Int }.max() ?? 0 }

    func dial() -> Socket {
        let socket = Socket(self)
        sockets.append(socket)
        return socket
    }

    func step(now: NIODeadline) {
        self.now = now
        for socket in sockets { socket.step(now: now) }
    }

    // MARK: Saying

    func post(_ text: String) { socket?.delegate?.transportReceived(text: ByteBuffer(string: text), now: now) }

    func post(binary bytes: [UInt8]) { socket?.delegate?.transportReceived(binary: ByteBuffer(bytes: bytes), now: now) }

    /// Linear samples in messages of half a second.
    /// - Parameter pts: nil to go on behind the last ones
    func say(_ samples: [Int16], generation: UInt16 = 1, flags: UInt8 = 0, pts: Int? = nil) {
        if let pts { sentPTS = pts }
        for start in stride(from: 0, to: samples.count, by: 4000) {
            let part = samples[start..<min(start + 4000, samples.count)]
            var message = ByteBuffer()
            message.writeInteger(1 as UInt8)
            message.writeInteger(flags)
            message.writeInteger(generation)
            message.writeInteger(sentSeq)
            message.writeInteger(UInt64(sentPTS))
            for sample in part { message.writeInteger(sample, endianness: .little) }
            sentSeq += 1
            sentPTS += part.count
            post(binary: Array(message.readableBytesView))
        }
    }

    /// One Opus packet of so many samples of 48 kHz.
    func say(packet: [UInt8], samples: Int, generation: UInt16 = 1, flags: UInt8 = 0, pts: Int? = nil) {
        if let pts { sentPTS = pts }
        var message = ByteBuffer()
        message.writeInteger(1 as UInt8)
        message.writeInteger(flags)
        message.writeInteger(generation)
        message.writeInteger(sentSeq)
        message.writeInteger(UInt64(sentPTS))
        message.writeBytes(packet)
        sentSeq += 1
        sentPTS += samples
        post(binary: Array(message.readableBytesView))
    }

    /// The connection breaks.
    func cut(code: UInt16? = nil) {
        guard let socket else { return }
        socket.isUp = false
        socket.delegate?.transportClosed(code: code, reason: "connection reset", now: now)
    }

    // MARK: Hearing

    private func hear(text: Data) {
        guard let event = try? JSONSerialization.jsonObject(with: text) as? [String: Any] else { return }
        events.append(event)
        times.append(now)
        switch event["event"] as? String {
        case "start": if let accept { post(accept) }
        case "resume":
            post(comeBack.replacing("{pts}", with: "\(nextPTS)").replacing("{seq}", with: "\(lastSeq)"))
        default: break
        }
    }

    private func hear(binary bytes: [UInt8]) {
        var message = ByteBuffer(bytes: bytes)
        guard let _ = message.readInteger(as: UInt8.self), let flags = message.readInteger(as: UInt8.self),
            let track = message.readInteger(as: UInt16.self), let seq = message.readInteger(as: UInt32.self),
            let pts = message.readInteger(as: UInt64.self)
        else { return }
        if takesPackets { return hear(packet: Array(message.readableBytesView), flags: flags, seq: seq, pts: Int(pts)) }
        tracks.append(track)
        binary.append((flags, seq, Int(pts), message.readableBytes / 2))
        if heard.count < Int(pts) { heard += [Int16](repeating: 0, count: Int(pts) - heard.count) }
        heard.removeSubrange(Int(pts)...)
        while let sample = message.readInteger(endianness: .little, as: Int16.self) { heard.append(sample) }
    }

    private func hear(packet: [UInt8], flags: UInt8, seq: UInt32, pts: Int) {
        let samples = packet.withUnsafeBytes { OpusPacket.duration(of: $0, rate: 48_000) } ?? 0
        binary.append((flags, seq, pts, samples))
        packets.append((flags, pts, packet))
        packetsEnd = pts + samples
    }
}
