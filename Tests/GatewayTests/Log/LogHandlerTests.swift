import Glibc
import Logging
import Testing

@testable import Gateway

@Suite("Log: handler")
struct LogHandlerTests {
    /// What `body` logs, as read from the other end of a pipe.
    private static func written(level: Configuration.Log.Level = .info, _ body: (inout Logger) -> Void) throws -> String {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        var configuration = Configuration.Log()
        configuration.level = level
        var logger = Logger(label: "test") { label in
            LogLineHandler(label: label, configuration: configuration, output: LogOutput(descriptor: ends[1]))
        }
        body(&logger)
        close(ends[1])
        defer { close(ends[0]) }
        var text: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(ends[0], &part, part.count)
            guard count > 0 else { return String(decoding: text, as: UTF8.self) }
            text += part[..<count]
        }
    }

    private struct Broken: Error, CustomStringConvertible {
        var description: String { "disk\nfull" }
    }

    @Test("a logger's lines arrive with its metadata and the message's")
    func lines() throws {
        let text = try Self.written { logger in
            logger[metadataKey: "call"] = "7f"
            logger.info("one", metadata: ["to": "demo"])
            logger[metadataKey: "call"] = nil
            logger.error("two")
        }
        let lines = text.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first?.hasSuffix("Z info call=7f: one to=demo") == true)
        #expect(lines.last?.hasSuffix("Z error: two") == true)
    }

    @Test("the level of the configuration holds")
    func levels() throws {
        let text = try Self.written(level: .warning) { logger in
            logger.info("quiet")
            logger.notice("quiet")
            logger.warning("loud")
            logger.critical("loud")
        }
        #expect(!text.contains("quiet"))
        #expect(text.split(separator: "\n").count == 2)
    }

    @Test("every level of the configuration is one of swift-log's")
    func levelNames() {
        for level in Configuration.Log.Level.allCases { #expect("\(level.level)" == level.rawValue) }
    }

    @Test("what a metadata provider gives, and an error, are written")
    func providerAndError() throws {
        let text = try Self.written { logger in
            logger.handler.metadataProvider = Logger.MetadataProvider { ["trace": "t1"] }
            logger.error("failed", error: Broken())
        }
        #expect(text.contains(" error trace=t1: failed"))
        #expect(text.hasSuffix("\"disk\\nfull\"\n"))
    }

    @Test("a reader that is full or gone costs the line, not the process")
    func nobodyReads() throws {
        GatewayLog.bootstrap(Configuration.Log())
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { close(ends[1]) }
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        let output = LogOutput(descriptor: ends[1])
        // Far more than a pipe holds.
        for _ in 0..<3000 { output.write([UInt8](repeating: 65, count: 100)) }
        close(ends[0])
        output.write([65])
        #expect(errno == EPIPE)
    }

    @Test("bootstrapping twice is allowed")
    func bootstrap() {
        GatewayLog.bootstrap(Configuration.Log())
        GatewayLog.bootstrap(Configuration.Log())
    }
}
