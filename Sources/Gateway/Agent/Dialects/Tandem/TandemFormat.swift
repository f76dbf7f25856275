import Foundation
import NIOCore
import SDP
import Transcode

/// One way to put sound into the binary messages of `tandem.media.v1`.
struct TandemFormat: Codable, Equatable {
    enum Codec: String, Codable {
        case pcm = "pcm_s16le"
        case pcmu, pcma
        /// One packet a message, as it came from the caller or goes to it.
        case opus
    }

    var codec: Codec
    /// Samples a second.
    var rate: Int
    var channels = 1
    var frameMilliseconds = 20

    private enum CodingKeys: String, CodingKey {
        case codec, rate, channels
        case frameMilliseconds = "frame_ms"
    }

    init(_ codec: Codec, _ rate: Int) {
        self.codec = codec
        self.rate = rate
    }

    init(from decoder: any Swift.Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        codec = try fields.decode(Codec.self, forKey: .codec)
        rate = try fields.decode(Int.self, forKey: .rate)
        channels = try fields.decodeIfPresent(Int.self, forKey: .channels) ?? 1
        frameMilliseconds = try fields.decodeIfPresent(Int.self, forKey: .frameMilliseconds) ?? 20
    }

    /// What is offered for a caller, best first: the caller's own width leads, since no rate brings back what a narrow one lost, and
    /// the others follow for agents that know one only.
    static func offer(_ call: AgentCallInfo) -> [TandemFormat] {
        let linear = offer(callerRates: call.callerRates)
        // Packets cost least and lose nothing, but an agent must want them: one that takes the first of the offer gets samples. Where
        // the gateway has to make the agent softer it could not.
        guard call.callerCodec == AudioCodec.opus.sdpName, call.bargeIn != .duck else { return linear }
        return linear + [.init(.opus, OpusClock.rate)]
    }

    /// The formats whose samples stand in the message.
    static func offer(callerRates: [Int]) -> [TandemFormat] {
        guard let best = callerRates.first, best > 8000 else {
            return [.init(.pcm, 8000), .init(.pcmu, 8000), .init(.pcma, 8000), .init(.pcm, 16000), .init(.pcm, 24000), .init(.pcm, 48000)]
        }
        let wide = best > 16000 ? [24000, 16000, 48000] : [16000, 24000, 48000]
        return wide.map { .init(.pcm, $0) } + [.init(.pcm, 8000), .init(.pcmu, 8000), .init(.pcma, 8000)]
    }

    var bytesPerSample: Int { codec == .pcm ? 2 : 1 }

    /// Writes samples as they go on the wire; Opus has none.
    /// - Returns: how many bytes
    func write(_ samples: UnsafeBufferPointer<Int16>, to target: UnsafeMutableRawBufferPointer) -> Int {
        switch codec {
        case .pcm:
            var pen = MessagePen(target)
            pen.write(samples)
            return pen.count
        case .pcmu: return G711.encode(samples, into: target, law: .mu)
        case .pcma: return G711.encode(samples, into: target, law: .a)
        case .opus: return 0
        }
    }

    /// The samples of `payload` from `first` on; Opus has none that could be told apart.
    func read(_ payload: UnsafeRawBufferPointer, from first: Int, into target: UnsafeMutableBufferPointer<Int16>) {
        switch codec {
        case .pcm:
            for index in target.indices {
                target[index] = Int16(littleEndian: payload.loadUnaligned(fromByteOffset: (first + index) * 2, as: Int16.self))
            }
        case .pcmu: G711.decode(UnsafeRawBufferPointer(rebasing: payload[first...]), into: target, law: .mu)
        case .pcma: G711.decode(UnsafeRawBufferPointer(rebasing: payload[first...]), into: target, law: .a)
        case .opus: target.update(repeating: 0)
        }
    }
}
