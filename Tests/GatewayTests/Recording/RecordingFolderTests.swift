import Foundation
import Testing

@testable import Gateway

@Suite("Folder of recordings")
struct RecordingFolderTests {
    private static let call = "0123456789abcdef0123456789abcdef"
    private static let other = "fedcba9876543210fedcba9876543210"

    private static func withFolder(_ test: (RecordingFolder) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("tandem-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try test(RecordingFolder(path: path))
    }

    private static func files(_ folder: RecordingFolder) -> [String] {
        (FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []).sorted()
    }

    @Test func aFileIsItsOwnersAndGetsItsNameAtTheEnd() throws {
        try Self.withFolder { folder in
            let path = "\(folder.path)/2026-11-28/\(Self.call).wav"
            let file = try RecordingFile(path)
            try [UInt8](repeating: 7, count: 10).withUnsafeBytes { try file.write($0, at: 5) }
            try file.extend(to: 20)
            #expect(Self.files(folder) == ["2026-11-28", "2026-11-28/\(Self.call).wav.part"])
            try file.finish()
            #expect(Self.files(folder) == ["2026-11-28", "2026-11-28/\(Self.call).wav"])
            #expect(try Array(Data(contentsOf: URL(fileURLWithPath: path))) == [0, 0, 0, 0, 0] + [UInt8](repeating: 7, count: 10) + [0, 0, 0, 0, 0])
            for (path, mode) in [(path, 0o600), ("\(folder.path)/2026-11-28", 0o700)] {
                #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == mode)
            }
        }
    }

    @Test func whatWasLeftBehindIsMadeWhole() throws {
        try Self.withFolder { folder in
            let wave = "2026-11-28/\(Self.call).wav", opus = "2026-11-28/\(Self.other).opus"
            try Self.leave("\(folder.path)/\(wave)") { file in
                let format = try WAVFormat(file, rate: 8000)
                try [Int16](repeating: 9, count: 1000).withUnsafeBufferPointer { try format.write($0) }
                // Cut in the middle of a frame.
                try [1, 2, 3].withUnsafeBytes { try file.write(UnsafeRawBufferPointer(rebasing: $0.prefix(3)), at: 2044) }
            }
            try Self.leave("\(folder.path)/\(opus)") { file in
                try [UInt8](repeating: 1, count: 9).withUnsafeBytes { try file.write($0, at: 0) }
            }
            // Of a gateway that runs, and of nobody we know.
            let busy = try RecordingFile("\(folder.path)/2026-11-27/\(Self.call).wav")
            try Data("x".utf8).write(to: URL(fileURLWithPath: "\(folder.path)/2026-11-28/notes.wav.part"))
            #expect(folder.repair() == 2)
            #expect(Self.files(folder).filter { $0.contains(".") } == ["2026-11-27/\(Self.call).wav.part", wave, opus, "2026-11-28/notes.wav.part"])
            let sound = try #require(StereoSound(wave: Array(Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(wave)")))))
            #expect(sound.left == [Int16](repeating: 9, count: 500))
            #expect(folder.repair() == 0)
            try busy.finish()
        }
    }

    private static func leave(_ path: String, _ fill: (RecordingFile) throws -> Void) throws { try fill(try RecordingFile(path)) }

    @Test func whatIsOldIsDeletedAndNothingElse() throws {
        try Self.withFolder { folder in
            let now = Date(timeIntervalSince1970: 1_800_000_000)
            let files = [
                ("2027-01-01/\(Self.call).wav", 31.0), ("2027-01-14/\(Self.call).opus", 29), ("2027-01-14/\(Self.other).wav", 30.1),
                ("2027-01-14/\(Self.other).wav.part", 99), ("2027-01-01x/\(Self.call).wav", 99), ("2027-01-02/notes.wav", 99),
                ("2027-01-02/\(Self.call).mp3", 99), ("keep.wav", 99),
            ]
            for (name, days) in files {
                let url = URL(fileURLWithPath: "\(folder.path)/\(name)")
                try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data([1]).write(to: url)
                try FileManager.default.setAttributes([.modificationDate: now.addingTimeInterval(-days * 86_400)], ofItemAtPath: url.path)
            }
            #expect(folder.prune(days: 0, now: now) == 0)
            #expect(folder.prune(days: 30, now: now) == 2)
            let left = Set(Self.files(folder))
            #expect(left.isSuperset(of: files.map(\.0).filter { $0 != files[0].0 && $0 != files[2].0 }))
            #expect(!left.contains(files[0].0) && !left.contains(files[2].0) && !left.contains("2027-01-01"))
        }
        #expect(RecordingFolder(path: "/nonexistent").prune(days: 1, now: Date()) == 0)
        #expect(RecordingFolder(path: "/nonexistent").repair() == 0)
    }

    @Test func filesAreNamedForTheDayAndTheCall() throws {
        let call = try #require(CallID(Self.call))
        let time = Date(timeIntervalSince1970: 1_767_225_599)
        #expect(RecordingFolder.name(of: call, at: time, format: .wav) == "2025-12-31/\(Self.call).wav")
        #expect(RecordingFolder.name(of: call, at: time.addingTimeInterval(1), format: .opus) == "2026-01-01/\(Self.call).opus")
    }
}
