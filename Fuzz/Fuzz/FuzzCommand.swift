import CFuzzer
import Foundation

/// `Fuzz TARGET FOLDER [option of libFuzzer…]`: seeds and whatever the fuzzer finds go into the folder (scripts/fuzz.sh).
@main struct FuzzCommand {
    nonisolated(unsafe) private static let targets: [String: any FuzzTarget.Type] = [
        "srtp": SRTPTarget.self, "rtp": RTPTarget.self, "peer": PeerTarget.self, "sdp": SDPTarget.self, "sip": SIPTarget.self,
        "plan": PlanTarget.self, "sound": SoundTarget.self, "agent": AgentTarget.self,
    ]
    nonisolated(unsafe) private static var target: any FuzzTarget.Type = SRTPTarget.self

    static func main() {
        let arguments = CommandLine.arguments
        if arguments.dropFirst() == ["list"] { return print(targets.keys.sorted().joined(separator: "\n")) }
        guard arguments.count > 2, let chosen = targets[arguments[1]] else {
            FileHandle.standardError.write(Data("usage: Fuzz list | Fuzz TARGET FOLDER [option of libFuzzer…]\n".utf8))
            exit(64)
        }
        target = chosen
        plant(in: URL(fileURLWithPath: arguments[2]))
        var strings = ([arguments[0]] + arguments[2...]).map { strdup($0) } as [UnsafeMutablePointer<CChar>?] + [nil]
        var count = Int32(strings.count - 1)
        let status = strings.withUnsafeMutableBufferPointer { buffer in
            var pointer = buffer.baseAddress
            return LLVMFuzzerRunDriver(&count, &pointer) { bytes, length in
                FuzzCommand.target.run(FuzzInput(UnsafeRawBufferPointer(start: bytes, count: length)))
                return 0
            }
        }
        exit(status)
    }

    private static func plant(in folder: URL) {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for (index, seed) in target.seeds.enumerated() { try Data(seed).write(to: folder.appendingPathComponent("seed-\(index)")) }
        } catch {
            fatalError("no seeds: \(error)")
        }
    }
}
