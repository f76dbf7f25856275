import CBench
import NIOCore
import Transcode

/// A transport that notes when a caller's markers leave, and when loud sound that comes begins and ends. By the wall clock.
final class ProbeTransport: LoadTransport {
    private let transport: any LoadTransport
    private let sound: CallSound
    private let decoder: any AudioDecoder
    private let room: UnsafeMutableBufferPointer<Int16>
    private var isLoud = false
    private var lastLoud: Int64 = 0
    private static let headerLength = 12
    private static let threshold: UInt16 = 3000

    private(set) var marks: [Int64] = []
    private(set) var onsets: [Int64] = []
    private(set) var ends: [Int64] = []

    init(_ transport: any LoadTransport, sound: CallSound) throws {
        guard let decoder = sound.makeDecoder() else { throw BenchFailure("no decoder") }
        self.transport = transport
        self.sound = sound
        self.decoder = decoder
        room = .allocate(capacity: 5760)
    }

    deinit {
        room.deallocate()
    }

    var isReady: Bool { transport.isReady }
    var failure: String? { transport.failure }

    func send(_ packet: [UInt8]) {
        if packet.dropFirst(Self.headerLength).elementsEqual(sound.marker[CallSound.markedFrame]) { marks.append(bench_wall_nanoseconds()) }
        transport.send(packet)
    }

    func poll(now: NIODeadline, media: (_ packet: [UInt8], _ arrived: Int64) -> Void) {
        transport.poll(now: now) { packet, arrived in
            listen(packet, arrived)
            media(packet, arrived)
        }
    }

    private func listen(_ packet: [UInt8], _ arrived: Int64) {
        guard packet.count > Self.headerLength, packet[1] & 0x7F == sound.payloadType else { return }
        let count = packet[Self.headerLength...].withUnsafeBytes { decoder.decode($0, into: room) }
        guard count > 0 else { return }
        let samples = room[..<count]
        func moment(_ index: Int) -> Int64 { arrived + Int64(index) * 1_000_000_000 / Int64(decoder.rate) }
        guard let first = samples.firstIndex(where: { $0.magnitude > Self.threshold }), let last = samples.lastIndex(where: { $0.magnitude > Self.threshold })
        else {
            if isLoud { ends.append(lastLoud) }
            isLoud = false
            return
        }
        if !isLoud { onsets.append(moment(first)) }
        isLoud = true
        lastLoud = moment(last)
    }
}
