import Foundation
import Glibc
import Testing

@testable import Gateway

@Suite("Files replaced as a whole")
struct AtomicFileTests {
    private func folder() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tandem-atomic-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    private func mode(_ path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode : nil
    }

    @Test("the new text, the old permissions, another file behind the name, and nothing left beside it")
    func replaced() throws {
        let folder = try folder(), path = folder + "/plan.yaml"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data("old".utf8).write(to: URL(fileURLWithPath: path))
        chmod(path, 0o604)
        // Whoever has it open keeps reading the old one.
        let reader = try #require(FileHandle(forReadingAtPath: path))
        try AtomicFile.replace(path, with: Array("new text".utf8), suffix: "a")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "new text")
        #expect(String(decoding: reader.readDataToEndOfFile(), as: UTF8.self) == "old")
        #expect(mode(path).map { $0 & 0o7777 } == 0o604)
        try AtomicFile.replace(path, with: [], suffix: "a")
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["plan.yaml"])
    }

    @Test("a symbolic link stays one, and the file behind it is replaced in its own folder")
    func links() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder + "/real", withIntermediateDirectories: true)
        try Data("old".utf8).write(to: URL(fileURLWithPath: folder + "/real/plan.yaml"))
        try FileManager.default.createSymbolicLink(atPath: folder + "/plan.yaml", withDestinationPath: "real/plan.yaml")
        try AtomicFile.replace(folder + "/plan.yaml", with: Array("new".utf8), suffix: "a")
        #expect(mode(folder + "/plan.yaml").map { $0 & S_IFMT } == S_IFLNK)
        #expect(try String(contentsOfFile: folder + "/real/plan.yaml", encoding: .utf8) == "new")
    }

    @Test("what cannot be replaced stays, and nothing is left beside it")
    func failures() throws {
        let folder = try folder(), path = folder + "/plan.yaml"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(throws: AtomicFile.Failure(reason: "No such file or directory")) { try AtomicFile.replace(path, with: [], suffix: "a") }
        #expect(throws: AtomicFile.Failure(reason: "it is no regular file")) { try AtomicFile.replace(folder, with: [], suffix: "a") }
        try Data("old".utf8).write(to: URL(fileURLWithPath: path))
        // Somebody put a link where the temporary file goes: it is not followed.
        let victim = folder + "/victim"
        try Data("mine".utf8).write(to: URL(fileURLWithPath: victim))
        try FileManager.default.createSymbolicLink(atPath: folder + "/.plan.yaml.a", withDestinationPath: victim)
        #expect(throws: AtomicFile.Failure(reason: "File exists")) { try AtomicFile.replace(path, with: Array("new".utf8), suffix: "a") }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "old" && String(contentsOfFile: victim, encoding: .utf8) == "mine")
    }
}
