import Foundation
import HTTPTypes
import Hummingbird

/// `records`: calls that are over, the newest first.
struct RecordsController: Sendable {
    /// Records on a page, unless the request says otherwise; and at most.
    static let pageSize = 100
    static let pageLimit = 1000
    /// Lines of a CSV page at most: spreadsheets are for many.
    static let lineLimit = 10_000

    let records: RecordStore

    func addRoutes(to router: some RouterMethods<SignallingContext>) {
        router.resource("/api/v1/records", [.get: { request, _ in try await list(request) }])
        router.resource("/api/v1/records/:id", [.get: { _, context in try await one(context) }])
    }

    private func list(_ request: Request) async throws -> Response {
        var query = try APIQuery(request)
        let isCSV = try Self.wantsCSV(request, &query)
        let cursor = try query.text("cursor").map { text in
            guard let cursor = PageCursor(text) else { throw HTTPProblem(.badRequest, "cursor must be the next of an earlier page, as it came.") }
            return cursor
        }
        let limit = try query.integer("limit", in: 1...(isCSV ? Self.lineLimit : Self.pageLimit)) ?? Self.pageSize
        let filter = try Self.filter(&query)
        try query.finish()
        let page = try await records.page(filter, after: cursor, limit: limit)
        let next = page.next?.description
        var headers = HTTPFields()
        if let next { headers[.link] = "<\(Self.next(request, cursor: next))>; rel=\"next\"" }
        // The same path answers in two types.
        headers[.vary] = "Accept"
        guard isCSV else {
            return APIResponse.json(.list(page.records.map { CallResource.json($0, isWhole: false) }, next: next), headers: headers)
        }
        headers[.contentDisposition] = "attachment; filename=\"calls.csv\""
        return APIResponse.text(Array(RecordsCSV.text(page.records).utf8), type: MediaTypes.csv + "; charset=utf-8; header=present", headers: headers)
    }

    private func one(_ context: SignallingContext) async throws -> Response {
        guard let id = context.parameters.get("id").flatMap({ CallID($0) }), let record = try await records.record(id) else {
            throw HTTPProblem(.notFound, "There is no record of this call: it runs still, or its record was deleted.")
        }
        return APIResponse.json(CallResource.json(record, isWhole: true))
    }

    private static func wantsCSV(_ request: Request, _ query: inout APIQuery) throws -> Bool {
        switch query.text("format") {
        case "csv": return true
        case "json": return false
        case nil: break
        default: throw HTTPProblem(.badRequest, "format must be json or csv.")
        }
        let accept = request.headers[.accept]
        if MediaTypes.accepts(accept, MediaTypes.json) { return false }
        guard MediaTypes.accepts(accept, MediaTypes.csv) else {
            throw HTTPProblem(.notAcceptable, "Records come as \(MediaTypes.json) or \(MediaTypes.csv); let Accept say so.")
        }
        return true
    }

    private static func filter(_ query: inout APIQuery) throws -> RecordFilter {
        var filter = RecordFilter()
        filter.via = query.text("via")
        filter.route = query.text("route")
        filter.from = query.number("from")
        filter.to = query.number("to")
        filter.cause = try query.text("cause").map { word in
            guard let cause = EndReason(rawValue: word) else {
                throw HTTPProblem(.badRequest, "cause must be one of: \(EndReason.allCases.map(\.rawValue).joined(separator: ", ")).")
            }
            return cause
        }
        filter.since = try query.time("since")
        filter.until = try query.time("until")
        filter.minSeconds = try query.integer("min_seconds", in: 0...100_000_000)
        filter.maxSeconds = try query.integer("max_seconds", in: 0...100_000_000)
        filter.answered = try query.flag("answered")
        filter.recorded = try query.flag("recorded")
        return filter
    }

    /// The request's own path and query with another cursor.
    private static func next(_ request: Request, cursor: String) -> String {
        let kept = (request.uri.query ?? "").split(separator: "&").filter { !$0.hasPrefix("cursor=") }
        return request.uri.path + "?" + (kept + ["cursor=\(cursor)"]).joined(separator: "&")
    }
}
