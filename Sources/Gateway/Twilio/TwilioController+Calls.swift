import Foundation
import Hummingbird

/// `Calls.json`: calls are placed, and listed.
extension TwilioController {
    // MARK: Placing

    func place(_ request: Request, _ context: SignallingContext) async throws -> Response {
        let account = try authenticated(request, context)
        let order = try Self.order(try await Self.form(request), account)
        switch await calls.placeCall(order) {
        case .success(let call): return APIResponse.json(TwilioResource.json(call, account: account.name), status: .created)
        case .failure(let refusal): throw TwilioProblem(refusal)
        }
    }

    private static func order(_ form: [FormField], _ account: Account) throws -> OutboundOrder {
        func value(_ name: String) -> String? { form.first { $0.name == name && !$0.value.isEmpty }?.value }
        guard let to = value("To") else { throw TwilioProblem(400, code: 21201, "To is needed.") }
        guard let from = value("From") else { throw TwilioProblem(400, code: 21213, "From is needed.") }
        guard OutboundOrder.isNumber(from) else { throw TwilioProblem(400, code: 21212, "From is no number in digits with or without the +.") }
        guard let what = try instructions(form) else { throw TwilioProblem(400, code: 21205, "Url or Twiml is needed.") }
        var order = OutboundOrder(to: to, agent: account.agents[0])
        order.from = from
        if let text = value("Timeout") {
            guard let seconds = Int(text), (1...600).contains(seconds) else {
                throw TwilioProblem(400, code: 21213, "Timeout is a number of seconds from 1 to 600.")
            }
            order.ringSeconds = seconds
        }
        switch value("MachineDetection") {
        case nil: break
        case "Enable", "DetectMessageEnd": order.detectsMachine = true
        default: throw TwilioProblem(400, code: 20001, "MachineDetection is Enable or DetectMessageEnd.")
        }
        var twilio = TwilioOrder(account: account.name, what: what)
        let words = form.filter { $0.name == "StatusCallbackEvent" }.flatMap { $0.value.split(separator: " ").map(String.init) }
        guard let events = StatusCallback.events(words) else {
            throw TwilioProblem(400, code: 21626, "StatusCallbackEvent is initiated, ringing, answered or completed.")
        }
        twilio.callback = try callback(value("StatusCallback"), value("StatusCallbackMethod"), order.agent)
        twilio.callback?.events = events
        twilio.answererCallback = try callback(value("AsyncAmdStatusCallback"), value("AsyncAmdStatusCallbackMethod"), order.agent)
        order.twilio = twilio
        do throws(CallParameters.Refusal) { try CallParameters.check(destination: to) } catch {
            throw TwilioProblem(400, code: 21211, error.detail)
        }
        return order
    }

    private static func callback(_ url: String?, _ method: String?, _ agent: String) throws -> StatusCallback? {
        guard let url else { return nil }
        guard WebClient.place(of: url) != nil, let isGet = StatusCallback.isGet(method) else {
            throw TwilioProblem(400, code: 21609, "A status callback is an http or https URL, and its method POST or GET.")
        }
        return StatusCallback(url: url, isGet: isGet, agent: agent)
    }

    // MARK: Listing

    private static let pageSize = 50
    private static let pageLimit = 1000

    /// Those that run come first, on the first page; then those that are over, the newest first.
    func list(_ request: Request, _ context: SignallingContext) async throws -> Response {
        let account = try authenticated(request, context)
        let query = FormField.read(request.uri.query ?? "") ?? []
        func value(_ name: String) -> String? { query.first { $0.name == name && !$0.value.isEmpty }?.value }
        let size = min(max(value("PageSize").flatMap { Int($0) } ?? Self.pageSize, 1), Self.pageLimit)
        let page = max(value("Page").flatMap { Int($0) } ?? 0, 0)
        let cursor = try value("PageToken").map { text in
            guard let cursor = PageCursor(text) else { throw TwilioProblem(400, code: 20001, "PageToken is none of an earlier page.") }
            return cursor
        }
        let (from, to, status) = (value("From"), value("To"), value("Status"))
        var shown: [JSONValue] = []
        if cursor == nil {
            for call in await calls.runningCalls().reversed() where account.owns(call.record) {
                let record = call.record
                guard from == nil || record.from.e164 == from, to == nil || record.to.e164 == to else { continue }
                if status == nil || TwilioCall.status(call) == status { shown.append(TwilioResource.json(call, account: account.name)) }
            }
        }
        var next: PageCursor?
        if var filter = status.map(TwilioCall.filter) ?? RecordFilter() {
            (filter.account, filter.from, filter.to) = (account.name, from, to)
            let over = try await records.page(filter, after: cursor, limit: size)
            shown += over.records.map { TwilioResource.json($0, status: TwilioCall.status($0), account: account.name) }
            next = over.next
        }
        return APIResponse.json(Self.page(shown, query, account, size, page, next))
    }

    private static func page(_ calls: [JSONValue], _ query: [FormField], _ account: Account, _ size: Int, _ page: Int, _ next: PageCursor?) -> JSONValue {
        let path = "/\(TwilioCall.apiVersion)/Accounts/\(account.name)/Calls.json"
        let kept = query.filter { !["Page", "PageToken", "PageSize"].contains($0.name) } + [FormField("PageSize", "\(size)")]
        func uri(_ page: Int, _ token: String?) -> String {
            path + "?" + FormField.write(kept + [FormField("Page", "\(page)")] + (token.map { [FormField("PageToken", $0)] } ?? []))
        }
        return [
            "calls": .array(calls), "page": JSONValue(page), "page_size": JSONValue(size), "start": JSONValue(page * size),
            "end": JSONValue(page * size + max(0, calls.count - 1)), "uri": .string(uri(page, query.first { $0.name == "PageToken" }?.value)),
            "first_page_uri": .string(uri(0, nil)), "previous_page_uri": .null,
            "next_page_uri": next.map { .string(uri(page + 1, $0.description)) } ?? .null,
        ]
    }
}

extension TwilioProblem {
    /// Twilio's number for a call that is not placed.
    init(_ refusal: OutboundRefusal) {
        let codes = [400: 21211, 403: 21215, 404: 21214, 429: 20429]
        self.init(refusal.httpStatus, code: codes[refusal.httpStatus] ?? 20503, refusal.detail)
    }
}
