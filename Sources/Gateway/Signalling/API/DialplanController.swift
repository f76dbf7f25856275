import Dialplan
import Foundation
import HTTPTypes
import Hummingbird

/// `dialplan`: the plan in force, its versions, and questions about it and about others.
struct DialplanController: Sendable {
    /// Past calls that what-if looks at, unless the request says otherwise; and at most.
    static let pastCalls = 1000
    static let pastCallLimit = 100_000
    /// Bytes of the question where a call would go.
    static let questionLimit = 64 * 1024

    let service: DialplanService
    let records: RecordStore
    let access: AdministratorAccess

    func addRoutes(to router: some RouterMethods<SignallingContext>) {
        router.resource("/api/v1/dialplan", [
            .get: { request, _ in Self.get(service.current, request) },
            .put: { request, context in try await put(request, context) },
        ])
        router.resource("/api/v1/dialplan/check", [.post: { request, _ in try await check(request) }])
        router.resource("/api/v1/dialplan/route", [.post: { request, _ in try await route(request) }])
        router.resource("/api/v1/dialplan/what-if", [.post: { request, _ in try await whatIf(request) }])
        router.resource("/api/v1/dialplan/versions", [.get: { request, _ in
            try APIQuery(request).finish()
            return APIResponse.json(.list(try await records.planVersions().map(Self.json)))
        }])
        router.resource("/api/v1/dialplan/versions/:number", [.get: { request, context in try await version(request, context) }])
    }

    private static func get(_ plan: PlanText, _ request: Request) -> Response {
        if let known = request.headers[.ifNoneMatch], PlanText.matches(known.replacing("W/", with: ""), etag: plan.etag) {
            return Response(status: .notModified, headers: [.eTag: plan.etag])
        }
        return APIResponse.text(plan.text, type: MediaTypes.yaml + "; charset=utf-8", headers: [.eTag: plan.etag])
    }

    private func put(_ request: Request, _ context: SignallingContext) async throws -> Response {
        let text = try await Self.plan(of: request)
        guard let ifMatch = request.headers[.ifMatch] else {
            throw HTTPProblem(.preconditionRequired, "Send If-Match with the ETag of the plan you edited, from GET /api/v1/dialplan.")
        }
        let author = access.administrator(request, context) ?? "unknown"
        switch await service.put(text, ifMatch: ifMatch, author: author) {
        case .failure(let refusal): throw HTTPProblem(refusal)
        case .success(let change):
            return APIResponse.json(
                [
                    "etag": .string(change.current.etag), "version": JSONValue(change.version), "routes": JSONValue(change.current.plan.routes.count),
                    "tests": JSONValue(change.current.plan.testCount), "diff": JSONValue(encoding: change.diff),
                    "problems": .array(change.warnings.map(Self.json)),
                ],
                headers: [.eTag: change.current.etag])
        }
    }

    private func check(_ request: Request) async throws -> Response {
        let verdict = await service.check(try await Self.plan(of: request))
        let diff = verdict.plan.map { JSONValue(encoding: PlanDiff(old: service.current.plan, new: $0)) }
        return APIResponse.json([
            "valid": .bool(verdict.plan != nil), "routes": JSONValue(verdict.plan?.routes.count), "tests": JSONValue(verdict.plan?.testCount),
            "diff": diff ?? .null, "problems": .array(verdict.problems.map(Self.json)),
        ])
    }

    private func route(_ request: Request) async throws -> Response {
        guard MediaTypes.mayBe(request.headers[.contentType], [MediaTypes.json]) else {
            throw HTTPProblem(.unsupportedMediaType, "Send the question as \(MediaTypes.json).")
        }
        let body = try await APIResponse.body(of: request, limit: Self.questionLimit)
        let query = try RouteQuestion(body, trunks: service.configuration.trunks.map(\.name)).query
        return APIResponse.json(JSONValue(encoding: Explanation(service.current.plan.route(query))))
    }

    private func whatIf(_ request: Request) async throws -> Response {
        var query = try APIQuery(request)
        let last = try query.integer("last", in: 1...Self.pastCallLimit) ?? Self.pastCalls
        try query.finish()
        let verdict = await service.check(try await Self.plan(of: request))
        guard let plan = verdict.plan else { throw HTTPProblem(.invalid(verdict.problems)) }
        let report = await service.whatIf(try await records.pastCalls(last: last), plan)
        return APIResponse.json(JSONValue(encoding: report))
    }

    private func version(_ request: Request, _ context: SignallingContext) async throws -> Response {
        guard let number = context.parameters.get("number").flatMap({ Decimal.integer($0) }),
            let version = try await records.planVersion(Int64(number))
        else {
            throw HTTPProblem(.notFound, "There is no such version; the last \(RecordStore.planLimit) are at /api/v1/dialplan/versions.")
        }
        return APIResponse.text(version.text, type: MediaTypes.yaml + "; charset=utf-8", headers: [.eTag: version.etag])
    }

    /// A dial plan as a body.
    private static func plan(of request: Request) async throws -> [UInt8] {
        let types = [MediaTypes.yaml, "text/yaml", "application/x-yaml", "text/x-yaml", "text/plain"]
        guard MediaTypes.mayBe(request.headers[.contentType], types) else {
            throw HTTPProblem(.unsupportedMediaType, "Send the dial plan as \(MediaTypes.yaml).")
        }
        return try await APIResponse.body(of: request, limit: YAMLReader.maximumBytes)
    }

    private static func json(_ version: PlanVersion) -> JSONValue {
        ["number": JSONValue(version.number), "at": JSONValue(version.at), "author": .string(version.author), "etag": .string(version.etag)]
    }

    static func json(_ problem: Problem) -> JSONValue {
        [
            "line": JSONValue(problem.line), "column": JSONValue(problem.column), "severity": .string(problem.severity.rawValue),
            "message": .string(problem.message),
        ]
    }
}

extension HTTPProblem {
    /// A dial plan that was not taken.
    init(_ refusal: DialplanService.Refusal) {
        switch refusal {
        case .stale:
            self.init(.preconditionFailed, "Another plan came in since: get it, edit it again, and send its ETag as If-Match.")
        case .fileChanged:
            self.init(.conflict, "The dial plan's file was edited by hand and would be overwritten: reload it first (SIGHUP), or put the old text back.")
        case .invalid(let problems):
            let errors = problems.count { $0.severity == .error }
            self.init(.unprocessableContent, "The plan has \(errors) error\(errors == 1 ? "" : "s") and is not in force: see problems.")
            self.problems = problems.map(DialplanController.json)
        case .unwritable(let reason):
            self.init(.internalServerError, "The dial plan's file cannot be replaced (\(reason)): the old plan stays in force.")
        }
    }
}
