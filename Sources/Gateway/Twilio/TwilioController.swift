import Foundation
import HTTPTypes
import Hummingbird

/// `/2010-04-01/Accounts/{AC}/Calls.json` and `…/Calls/{CA}.json`: the REST resource that agents written for Twilio use.
struct TwilioController: Sendable {
    let calls: any RunningCalls
    let records: RecordStore
    let configuration: @Sendable () -> Configuration

    private static let largestBody = 128 << 10

    func addRoutes(to router: some RouterMethods<SignallingContext>) {
        router.resource("/2010-04-01/Accounts/:account/Calls.json", [
            .get: { request, context in await answer { try await list(request, context) } },
            .post: { request, context in await answer { try await place(request, context) } },
        ])
        router.resource("/2010-04-01/Accounts/:account/Calls/:call", [
            .get: { request, context in await answer { try await get(request, context) } },
            .post: { request, context in await answer { try await post(request, context) } },
        ])
    }

    private func answer(_ body: () async throws -> Response) async -> Response {
        do {
            return try await body()
        } catch let problem as TwilioProblem {
            return problem.response
        } catch let problem as HTTPProblem {
            return TwilioProblem(problem.status.code, code: 20001, problem.detail).response
        } catch {
            return TwilioProblem(500, code: 20500, "Something went wrong inside the gateway.").response
        }
    }

    private func get(_ request: Request, _ context: SignallingContext) async throws -> Response {
        let account = try authenticated(request, context)
        let id = try call(context)
        if let running = await calls.runningCalls().first(where: { $0.record.id == id }) {
            guard account.owns(running.record) else { throw TwilioProblem.notFound }
            return APIResponse.json(TwilioResource.json(running, account: account.name))
        }
        guard let record = try await records.record(id), account.owns(record) else { throw TwilioProblem.notFound }
        return APIResponse.json(TwilioResource.json(record, status: TwilioCall.status(record), account: account.name))
    }

    private func post(_ request: Request, _ context: SignallingContext) async throws -> Response {
        let account = try authenticated(request, context)
        let id = try call(context)
        let form = try await Self.form(request)
        guard let running = await calls.runningCalls().first(where: { $0.record.id == id }) else {
            guard let record = try await records.record(id), account.owns(record) else { throw TwilioProblem.notFound }
            throw TwilioProblem.notInProgress
        }
        guard account.owns(running.record) else { throw TwilioProblem.notFound }
        let agent = account.agent(of: running.record) ?? account.agents[0]
        let status = try await perform(form, id, agent) ?? TwilioCall.status(running)
        return APIResponse.json(TwilioResource.json(running.record, status: status, account: account.name))
    }

    /// - Returns: the call's status after it, where that is known.
    private func perform(_ form: [FormField], _ id: CallID, _ agent: String) async throws -> String? {
        func value(_ name: String) -> String? { form.first { $0.name == name }?.value }
        switch value("Status") {
        case "completed", "canceled":
            guard await calls.complete(id) else { throw TwilioProblem.notInProgress }
            return "completed"
        case nil: break
        default: throw TwilioProblem(400, code: 21218, "Status is completed or canceled.")
        }
        guard let what = try Self.instructions(form) else { throw TwilioProblem(400, code: 20001, "Status, Twiml or Url is needed.") }
        guard await calls.instruct(id, TwiMLOrder(what: what, agent: agent)) else { throw TwilioProblem.notInProgress }
        return nil
    }

    static func form(_ request: Request) async throws -> [FormField] {
        let body = try await APIResponse.body(of: request, limit: largestBody)
        guard let form = FormField.read(String(decoding: body, as: UTF8.self)) else {
            throw TwilioProblem(400, code: 20001, "The body is no form.")
        }
        return form
    }

    /// What `Twiml` or `Url` says; nil without either.
    static func instructions(_ form: [FormField]) throws -> TwiMLOrder.What? {
        func value(_ name: String) -> String? { form.first { $0.name == name }?.value }
        if let text = value("Twiml") {
            do throws(TwiMLReader.Failure) { return .document(try TwiMLReader.read([UInt8](text.utf8))) } catch {
                throw TwilioProblem(400, code: 12100, "The TwiML cannot be used: \(error).")
            }
        }
        guard let url = value("Url") else { return nil }
        guard WebClient.place(of: url) != nil else { throw TwilioProblem(400, code: 21205, "Url is no http or https URL.") }
        return .fetch(url: url, isGet: value("Method")?.uppercased() == "GET")
    }

    private func call(_ context: SignallingContext) throws -> CallID {
        guard let name = context.parameters.get("call"), name.hasSuffix(".json"), let id = TwilioCall.id(name.dropLast(5)) else {
            throw TwilioProblem.notFound
        }
        return id
    }

    /// HTTP Basic (RFC 7617) with an agent's account and token.
    func authenticated(_ request: Request, _ context: SignallingContext) throws -> Account {
        let refused = TwilioProblem(401, code: 20003, "Send the account and token of an agent in tandem.yaml by HTTP Basic.")
        guard let field = request.headers[.authorization], let space = field.firstIndex(of: " "), field[..<space].lowercased() == "basic",
            let decoded = Data(base64Encoded: field[field.index(after: space)...].trimmingCharacters(in: .whitespaces)),
            let colon = decoded.firstIndex(of: UInt8(ascii: ":"))
        else { throw refused }
        let (user, password) = (String(decoding: decoded[..<colon], as: UTF8.self), Array(decoded[decoded.index(after: colon)...]))
        var agents: [String] = []
        for agent in configuration().agents where agent.account == user {
            if let token = agent.token, AdministratorAccess.isEqual(Array(token.utf8), password) { agents.append(agent.name) }
        }
        guard !agents.isEmpty, context.parameters.get("account") == user else { throw refused }
        return Account(name: user, agents: agents)
    }

    /// Who asks.
    struct Account {
        var name: String
        /// At least one.
        var agents: [String]

        func owns(_ record: CallRecord) -> Bool { record.account == name || agent(of: record) != nil }

        /// The account's agent that had the call last.
        func agent(of record: CallRecord) -> String? {
            record.steps.last { step in step.kind == "agent" && step.target.map(agents.contains) == true }?.target
        }
    }
}
