import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// `calls`: those that run, and those that are to.
struct CallsController: Sendable {
    /// Calls on a page, unless the request says otherwise; and at most.
    static let pageSize = 100
    static let pageLimit = 1000

    let calls: any RunningCalls
    private let records: RecordStore
    private let keys: IdempotencyKeys<String>

    init(calls: any RunningCalls, records: RecordStore) {
        self.calls = calls
        self.records = records
        let (time, now) = (Date(), NIODeadline.now())
        // Without them the server is no worse than one that never kept any.
        let kept = (try? records.keyedRequests(since: time.addingTimeInterval(-86_400))) ?? []
        keys = IdempotencyKeys(kept: kept.map { request in
            let age = max(0, time.milliseconds - request.at.milliseconds)
            return (request.key, request.question, request.answer, now - .milliseconds(age))
        })
    }

    func addRoutes(to router: some RouterMethods<SignallingContext>) {
        router.resource("/api/v1/calls", [
            .get: { request, _ in try await list(request) },
            .post: { request, _ in try await place(request) },
        ])
        router.resource("/api/v1/calls/:id", [
            .get: { _, context in
                guard let call = await call(try Self.id(context)) else { throw Self.notFound }
                return APIResponse.json(CallResource.json(call.record, state: call.state, isWhole: true))
            },
            .delete: { _, context in
                guard await calls.endCall(try Self.id(context)) else { throw Self.notFound }
                return Response(status: .noContent)
            },
        ])
        router.resource("/api/v1/calls/:id/transfer", [.post: { request, context in
            try await transfer(Self.id(context), request)
        }])
    }

    /// In the order they began. A call that ends between two pages is in neither or in the first, never in both.
    private func list(_ request: Request) async throws -> Response {
        var query = try APIQuery(request)
        let cursor = try query.text("cursor").map { text in
            guard let cursor = PageCursor(text) else { throw HTTPProblem(.badRequest, "cursor must be the next of an earlier page, as it came.") }
            return cursor
        }
        let limit = try query.integer("limit", in: 1...Self.pageLimit) ?? Self.pageSize
        try query.finish()
        let running = await calls.runningCalls().map { (place: Self.place(of: $0), call: $0) }
            .sorted { ($0.place.startedMilliseconds, $0.place.id.description) < ($1.place.startedMilliseconds, $1.place.id.description) }
        let rest = running.drop { item in
            guard let cursor else { return false }
            return (item.place.startedMilliseconds, item.place.id.description) <= (cursor.startedMilliseconds, cursor.id.description)
        }
        let page = rest.prefix(limit)
        let next = rest.count > limit ? page.last?.place.description : nil
        return APIResponse.json(.list(page.map { CallResource.json($0.call.record, state: $0.call.state, isWhole: false) }, next: next))
    }

    private static func place(of call: RunningCall) -> PageCursor {
        PageCursor(startedMilliseconds: call.record.startedAt.milliseconds, id: call.record.id)
    }

    private func place(_ request: Request) async throws -> Response {
        let key = try Self.key(of: request)
        let order = try await OutboundOrder(request)
        if let key {
            switch keys.begin(key, order.digest, now: .now()) {
            case .new: await keep(key, order, nil)
            case .answered(let call): return Self.created(call)
            case .running: throw HTTPProblem(.conflict, "A request with this Idempotency-Key is being answered; wait for it.")
            case .lost:
                throw HTTPProblem(
                    .conflict, "The gateway was restarted while it dealt with this request, so its call may have been placed: see /api/v1/records, and take a new Idempotency-Key.")
            case .differs: throw HTTPProblem(.unprocessableContent, "This Idempotency-Key was used with another body within 24 hours; take a new one.")
            }
        }
        switch await calls.placeCall(order) {
        case .success(let call):
            let json = CallResource.json(call.record, state: call.state, isWhole: true)
            if let key {
                await keep(key, order, json)
                keys.finish(key, json)
            }
            return Self.created(json)
        case .failure(let refusal):
            if let key {
                try? await records.forget(key: key)
                keys.finish(key, nil)
            }
            throw HTTPProblem(refusal)
        }
    }

    /// For the next process; what the database refuses, only this one knows.
    private func keep(_ key: String, _ order: OutboundOrder, _ answer: JSONValue?) async {
        let (records, request) = (records, KeyedRequest(key: key, question: order.digest, answer: answer, at: Date()))
        // A client that goes away meanwhile takes its request's task with it, not this.
        await Task { try? await records.keep(request) }.value
    }

    private func transfer(_ id: CallID, _ request: Request) async throws -> Response {
        let transfer = try await AgentTransfer(request)
        if case .failure(let refusal) = await calls.transferCall(id, transfer) {
            throw HTTPProblem(HTTPResponse.Status(code: refusal.httpStatus), refusal.detail)
        }
        return APIResponse.json(["id": .string(id.description), "to": .string(transfer.target)], status: .accepted)
    }

    private func call(_ id: CallID) async -> RunningCall? {
        await calls.runningCalls().first { $0.record.id == id }
    }

    private static func created(_ call: JSONValue) -> Response {
        APIResponse.json(call, status: .created, headers: [.location: "/api/v1/calls/\(call["id"]?.text ?? "")"])
    }

    /// Any text; whoever writes quotation marks around it, as draft-ietf-httpapi-idempotency-key-header has it, always does.
    private static func key(of request: Request) throws -> String? {
        guard let key = request.headers[.idempotencyKey] else { return nil }
        guard (1...255).contains(key.utf8.count) else { throw HTTPProblem(.badRequest, "An Idempotency-Key has 1 to 255 bytes.") }
        return key
    }

    private static func id(_ context: SignallingContext) throws -> CallID {
        guard let id = context.parameters.get("id").flatMap({ CallID($0) }) else { throw notFound }
        return id
    }

    private static let notFound = HTTPProblem(.notFound, "There is no such call running; if it is over, see /api/v1/records.")
}

extension HTTPProblem {
    init(_ refusal: OutboundRefusal) {
        var headers = HTTPFields()
        if let seconds = refusal.retryAfter { headers[.retryAfter] = "\(seconds)" }
        self.init(HTTPResponse.Status(code: refusal.httpStatus), refusal.detail, end: refusal.end, headers: headers)
    }
}
