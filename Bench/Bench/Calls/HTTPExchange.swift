import CBench
import Foundation

/// One request over one connection to 127.0.0.1.
struct HTTPExchange {
    let status: Int
    let body: String
    private let head: String

    /// - Parameter meanwhile: called every millisecond while the answer is awaited, five seconds at most
    init(_ method: String, _ path: String, port: UInt16, contentType: String? = nil, body: String = "", meanwhile: () -> Void) throws {
        let descriptor = bench_stream_open(port)
        guard descriptor >= 0 else { throw BenchFailure("HTTP: no connection, error \(-descriptor)") }
        defer { close(descriptor) }
        let type = contentType.map { "Content-Type: \($0)\r\n" } ?? ""
        let request = Array("\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\(type)Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)".utf8)
        guard Glibc.send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { throw BenchFailure("HTTP: the request does not go out") }
        let answer = try Self.receive(descriptor, meanwhile: meanwhile)
        let parts = answer.components(separatedBy: "\r\n\r\n")
        guard parts.count >= 2, let status = parts[0].split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw BenchFailure("HTTP: not an answer: \(answer)")
        }
        self.status = status
        head = parts[0]
        self.body = parts.dropFirst().joined(separator: "\r\n\r\n")
    }

    func header(_ name: String) -> String? {
        let line = head.components(separatedBy: "\r\n").first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
        return line.map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
    }

    /// Until the other side closes.
    private static func receive(_ descriptor: Int32, meanwhile: () -> Void) throws -> String {
        var answer: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 16_384)
        for _ in 0..<5000 {
            var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard Glibc.poll(&wanted, 1, 1) > 0 else {
                meanwhile()
                continue
            }
            let count = recv(descriptor, &room, room.count, 0)
            guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
            answer += room[..<count]
        }
        throw BenchFailure("HTTP: no answer within five seconds")
    }
}
