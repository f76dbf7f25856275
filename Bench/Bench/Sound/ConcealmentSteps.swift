import CSpandsp
import Foundation
import Transcode

/// `Bench concealment CODEC METHOD MILLISECONDS LOST`: what is heard of raw samples on standard input, sent in packets of so long, of
/// which those with a 1 in LOST do not come (scripts/bench-concealment.sh).
enum ConcealmentSteps {
    static let argument = "concealment"

    /// What stands for a lost packet.
    enum Method: String {
        case silence, spandsp, tandem
    }

    static func run(_ words: [String]) -> Never {
        guard words.count == 4, let method = Method(rawValue: words[1]), let milliseconds = Int(words[2]),
            let (encoder, decoder) = codec(words[0], milliseconds)
        else {
            FileHandle.standardError.write(Data("usage: Bench concealment G711|G722|L16 silence|spandsp|tandem MILLISECONDS LOST\n".utf8))
            exit(64)
        }
        let heard = UnsafeMutableBufferPointer<Int16>.allocate(capacity: milliseconds * decoder.rate / 1000)
        let payload = UnsafeMutableRawBufferPointer.allocate(byteCount: heard.count * 2, alignment: 2)
        let rival = plc_init(nil)
        var output = Data()
        let lost = Array(words[3].utf8)
        FileHandle.standardInput.readDataToEndOfFile().withUnsafeBytes { bytes in
            let samples = bytes.bindMemory(to: Int16.self)
            for (number, start) in stride(from: 0, through: samples.count - heard.count, by: heard.count).enumerated() {
                let length = encoder.encode(UnsafeBufferPointer(rebasing: samples[start..<start + heard.count]), into: payload)
                let isLost = lost[number % lost.count] == UInt8(ascii: "1")
                if isLost { heard.update(repeating: 0) } else { _ = decoder.decode(UnsafeRawBufferPointer(rebasing: payload[..<length]), into: heard) }
                switch (method, isLost) {
                case (.spandsp, true): plc_fillin(rival, heard.baseAddress, Int32(heard.count))
                case (.spandsp, false): plc_rx(rival, heard.baseAddress, Int32(heard.count))
                case (.tandem, true): _ = decoder.conceal(samples: heard.count, into: heard)
                case (.tandem, false), (.silence, _): break
                }
                output.append(Data(buffer: heard))
            }
        }
        FileHandle.standardOutput.write(output)
        exit(0)
    }

    private static func codec(_ name: String, _ milliseconds: Int) -> (any AudioEncoder, any AudioDecoder)? {
        switch name {
        case "G711": return (G711Encoder(law: .mu, frameMilliseconds: milliseconds), G711Decoder(law: .mu))
        case "G722":
            guard let encoder = G722Encoder(frameMilliseconds: milliseconds), let decoder = G722Decoder() else { return nil }
            return (encoder, decoder)
        case "L16":
            guard let encoder = L16Encoder(rate: 16000, frameMilliseconds: milliseconds), let decoder = L16Decoder(rate: 16000) else { return nil }
            return (encoder, decoder)
        default: return nil
        }
    }
}
