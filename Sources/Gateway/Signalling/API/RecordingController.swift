import Foundation
import HTTPTypes
import Hummingbird
import NIOPosix

/// `calls/{id}/recording`: a recording is paused while something is said that it must not hold, such as a card's number; and once the call is
/// over, under `records/{id}/recording` too, it is fetched and deleted.
struct RecordingController: Sendable {
    let calls: any RunningCalls
    let records: RecordStore
    let folder: RecordingFolder
    private let files = FileIO()

    init(calls: any RunningCalls, records: RecordStore, folder: RecordingFolder) {
        self.calls = calls
        self.records = records
        self.folder = folder
    }

    /// Bytes of a body: the state, and room for spaces.
    private static let bodyLimit = 1024

    func addRoutes(to router: some RouterMethods<SignallingContext>) {
        router.resource("/api/v1/records/:id/recording", [
            .get: { request, context in try await fetch(request, context) },
            .delete: { _, context in try await delete(context) },
        ])
        router.resource("/api/v1/calls/:id/recording", [.get: { request, context in try await fetch(request, context) }, .delete: { _, context in
            try await delete(context)
        }, .post: { request, context in
            let isPaused = try await Self.isPaused(request)
            guard let id = context.parameters.get("id").flatMap({ CallID($0) }) else { throw Self.problem(.noSuchCall) }
            switch await calls.pauseRecording(isPaused, of: id) {
            case .success(let recording): return APIResponse.json(CallResource.recording(recording))
            case .failure(let refusal): throw Self.problem(refusal)
            }
        }])
    }

    /// The whole file or the part that `Range` names (RFC 9110 section 14), read while it is sent.
    private func fetch(_ request: Request, _ context: SignallingContext) async throws -> Response {
        let name = try await name(context)
        guard let path = folder.file(name), let size = await size(of: path) else { throw Self.gone }
        let isWAV = name.hasSuffix(".wav")
        var headers: HTTPFields = [
            .contentType: isWAV ? "audio/wav" : "audio/ogg; codecs=opus", .acceptRanges: "bytes", .cacheControl: "no-store",
            .contentDisposition: "attachment; filename=\"\(name.split(separator: "/").last ?? "recording")\"",
        ]
        guard let asked = request.headers[.range], let range = ByteRange(asked, of: size) else {
            return Response(status: .ok, headers: headers, body: try await files.loadFile(path: path, context: context))
        }
        guard case .part(let part) = range else {
            headers = [.contentRange: "bytes */\(size)"]
            throw HTTPProblem(.rangeNotSatisfiable, "The recording has \(size) bytes.", headers: headers)
        }
        headers[.contentRange] = "bytes \(part.lowerBound)-\(part.upperBound)/\(size)"
        return Response(status: .partialContent, headers: headers, body: try await files.loadFile(path: path, range: part, context: context))
    }

    private func delete(_ context: SignallingContext) async throws -> Response {
        let name = try await name(context)
        let folder = folder
        guard try await NIOThreadPool.singleton.runIfActive({ folder.delete(name) }) else { throw Self.gone }
        return Response(status: .noContent)
    }

    /// The name of the recording of a call that is over.
    private func name(_ context: SignallingContext) async throws -> String {
        guard let id = context.parameters.get("id").flatMap({ CallID($0) }) else { throw Self.problem(.noSuchCall) }
        guard let record = try await records.record(id) else {
            guard await calls.runningCalls().contains(where: { $0.record.id == id }) else {
                throw HTTPProblem(.notFound, "There is no such call, or its record was deleted.")
            }
            throw HTTPProblem(.conflict, "The call runs still; its recording can be had when it is over.")
        }
        guard let recording = record.recording else { throw HTTPProblem(.notFound, "The call was not recorded.") }
        return recording.file
    }

    /// Nil if there is no such file.
    private func size(of path: String) async -> Int? {
        try? await NIOThreadPool.singleton.runIfActive {
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
            return Int(status.st_size)
        }
    }

    private static let gone = HTTPProblem(.gone, "The recording is not there any more: it was deleted, or it is older than recordings.retention_days.")

    private static func isPaused(_ request: Request) async throws -> Bool {
        let body = try await APIResponse.body(of: request, limit: bodyLimit)
        switch JSONValue(parsing: String(decoding: body, as: UTF8.self))?["state"] {
        case "paused": return true
        case "recording": return false
        default: throw HTTPProblem(.badRequest, #"The body must be {"state": "paused"} or {"state": "recording"}."#)
        }
    }

    private static func problem(_ refusal: RecordingRefusal) -> HTTPProblem {
        switch refusal {
        case .noSuchCall: HTTPProblem(.notFound, "There is no such call running.")
        case .notRecorded: HTTPProblem(.conflict, "The call is not recorded: record: true in the step of the dial plan that took it begins a recording.")
        case .failed: HTTPProblem(.conflict, "The recording failed: the disk refused it, as the log says.")
        }
    }
}
