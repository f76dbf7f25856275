import HTTPTypes
import Hummingbird

/// `calls/{id}/recording`: a recording is paused while something is said that it must not hold, such as a card's number.
struct RecordingController: Sendable {
    let calls: any RunningCalls

    /// Bytes of a body: the state, and room for spaces.
    private static let bodyLimit = 1024

    func addRoutes(to router: some RouterMethods<SignallingContext>) {
        router.resource("/api/v1/calls/:id/recording", [.post: { request, context in
            let isPaused = try await Self.isPaused(request)
            guard let id = context.parameters.get("id").flatMap({ CallID($0) }) else { throw Self.problem(.noSuchCall) }
            switch await calls.pauseRecording(isPaused, of: id) {
            case .success(let recording): return APIResponse.json(CallResource.recording(recording))
            case .failure(let refusal): throw Self.problem(refusal)
            }
        }])
    }

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
