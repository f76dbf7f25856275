import HTTPTypes
import Hummingbird

/// `calls`: those that run.
struct CallsController: Sendable {
    let calls: any RunningCalls

    func addRoutes(to router: some RouterMethods<SignallingContext>) {
        router.resource("/api/v1/calls", [.get: { request, _ in
            try APIQuery(request).finish()
            return APIResponse.json(.list(await calls.runningCalls().map { CallResource.json($0.record, state: $0.state, isWhole: false) }))
        }])
        router.resource("/api/v1/calls/:id", [
            .get: { _, context in
                guard let call = try await call(context) else { throw Self.notFound }
                return APIResponse.json(CallResource.json(call.record, state: call.state, isWhole: true))
            },
            .delete: { _, context in
                guard let id = context.parameters.get("id").flatMap({ CallID($0) }), await calls.endCall(id) else { throw Self.notFound }
                return Response(status: .noContent)
            },
        ])
    }

    private func call(_ context: SignallingContext) async throws -> RunningCall? {
        guard let id = context.parameters.get("id").flatMap({ CallID($0) }) else { return nil }
        return await calls.runningCalls().first { $0.record.id == id }
    }

    private static let notFound = HTTPProblem(.notFound, "There is no such call running; if it is over, see /api/v1/records.")
}
