import RTP
import TestKit

/// `SRTPContext` beside libsrtp2: whatever is sealed or opened, in whatever order, the same bytes or the same refusal
/// (RFC 3711, RFC 7714).
enum SRTPTarget: FuzzTarget {
    static var seeds: [[UInt8]] {
        let sent = (UInt8(0)..<24).map { number in [0, number % 3, 0xFF, 0xF0 &+ number, number, number &* 9] as [UInt8] }
        let stream = Array(sent.joined())
        let header: [UInt8] = [0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]
        let extended: [UInt8] = [0x91, 111, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0xBE, 0xDE, 0, 1, 0x10, 7, 0, 0, 1, 2, 3]
        let report = [0x80, 200, 0, 6, 0, 0, 0, 3] as [UInt8] + [UInt8](repeating: 9, count: 20)
        let forged: [UInt8] = [1, 0, 7, 1] + sent[3] + [2, 0, 3, 2, 0, 200]
        let plain: [UInt8] = [3] + FuzzInput.piece(header + [1, 2, 3]) + [3] + FuzzInput.piece(extended)
        let control: [UInt8] = [4] + FuzzInput.piece(report) + [5] + FuzzInput.piece(report) + [1, 0, 9, 1]
        let raw: [UInt8] = [6] + FuzzInput.piece(extended) + [7] + FuzzInput.piece(report)
        return [stream, stream + forged, plain, control, raw].flatMap { seed in [[0] + seed, [1] + seed] }
    }

    static func run(_ input: FuzzInput) {
        var input = input
        let profile = SRTPProfile.allCases[Int(input.byte()) % SRTPProfile.allCases.count]
        guard let trial = SRTPTrial(profile) else { fatalError("no context") }
        var left = 256
        while !input.isEmpty, left > 0 {
            left -= 1
            switch input.byte() % 8 {
            case 0: trial.send(stream: input.byte(), sequence: input.word(), contributors: input.byte(), count: Int(input.byte()))
            case 1: trial.forge(at: Int(input.word()), with: input.byte())
            case 2: trial.repeatPacket(Int(input.byte()), cutBy: Int(input.byte()))
            case 3: trial.seal(input.piece(), isControl: false)
            case 4: trial.seal(input.piece(), isControl: true)
            case 5: trial.sendControl(input.piece())
            case 6: trial.open(input.piece(), isControl: false)
            default: trial.open(input.piece(), isControl: true)
            }
        }
    }
}
