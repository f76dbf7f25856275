import Dialplan
import Foundation
import Logging
import NIOConcurrencyHelpers
import NIOPosix

@testable import Gateway

/// A running HTTP server with the API before a database, a dial plan in a file and made-up calls, for the length of one test.
final class APIFixture {
    static let plan = """
        routes:
          - name: demo
            when: { to: demo }
            do: [{ agent: demo }]
        tests:
          - { via: browser, to: demo, expect: demo }

        """
    static let configuration = """
        trunks:
          acme: { hosts: ["sip:198.51.100.7"], username: u, password: hunter2, country: "1" }
        agents:
          demo: { builtin: parrot }
          bot: { url: "wss://agents.example/media?key=hunter2", protocol: twilio, token: hunter2, account: AC01 }
        dialplan: dialplan.yaml

        """

    let records: RecordFixture
    let store: RecordStore
    let service: DialplanService
    let calls = FakeRunningCalls()
    let health = AgentHealth()
    /// The configurations and plans that were put in force, by their first route's name.
    let applied = NIOLockedValueBox<[String]>([])
    private let server: HTTPServer
    let port: Int

    var planPath: String { records.folder + "/dialplan.yaml" }
    var planOnDisk: String? { try? String(contentsOfFile: planPath, encoding: .utf8) }

    private init(token: String?) async throws {
        records = try RecordFixture()
        try Data(Self.configuration.utf8).write(to: URL(fileURLWithPath: records.folder + "/tandem.yaml"))
        try Data(Self.plan.utf8).write(to: URL(fileURLWithPath: records.folder + "/dialplan.yaml"))
        let (configuration, plan, problems) = Configuration.loadWithText(path: records.folder + "/tandem.yaml", environment: [:])
        guard let configuration, let plan else { throw Broken(description: "\(problems)") }
        store = try records.open()
        service = DialplanService(
            configuration: configuration, plan: plan, environment: [:], history: store, logger: RecordFixture.logger, now: { RecordFixture.start },
            apply: { [applied] _, plan in applied.withLockedValue { $0.append(plan.routes.first?.name ?? "none") } })
        var settings = HTTPServer.Configuration(host: "127.0.0.1", port: 0)
        settings.origins = ["https://shop.example"]
        settings.stopTimeout = .milliseconds(300)
        server = HTTPServer(
            configuration: settings, calls: FakeBrowserCalls(), health: FakeHealth(),
            api: APIServices(
                records: store, calls: calls, dialplan: service, access: AdministratorAccess(token: token), agentHealth: health,
                recordings: RecordingFolder(path: records.folder + "/recordings")),
            group: MultiThreadedEventLoopGroup.singleton, logger: RecordFixture.logger)
        port = try await server.start()
    }

    struct Broken: Error, CustomStringConvertible {
        let description: String
    }

    static func run(token: String? = nil, _ test: (APIFixture) async throws -> Void) async throws {
        let fixture = try await APIFixture(token: token)
        func stop() async {
            await fixture.server.stop()
            await fixture.store.close()
        }
        do { try await test(fixture) } catch {
            await stop()
            throw error
        }
        await stop()
    }

    /// - Parameter path: below `/api/v1`.
    func request(_ method: String, _ path: String, _ headers: [String: String] = [:], body: String? = nil) async throws -> RawConnection.Response {
        let connection = try await RawConnection(port: port, group: MultiThreadedEventLoopGroup.singleton)
        // A loopback name, unless the test has another.
        let response = try await connection.request(method, "/api/v1" + path, ["Host": "localhost:\(port)"].merging(headers) { $1 }, body: body)
        try? await connection.close()
        return response
    }

    /// Sends bytes as they are, and reads one response.
    func raw(_ text: String) async throws -> RawConnection.Response {
        let connection = try await RawConnection(port: port, group: MultiThreadedEventLoopGroup.singleton)
        try await connection.send(text)
        let response = try await connection.response()
        try? await connection.close()
        return response
    }

    /// Puts a plan whose `If-Match` is the present one's, unless given.
    func put(_ plan: String, ifMatch: String? = nil, _ headers: [String: String] = [:]) async throws -> RawConnection.Response {
        let headers = ["Content-Type": "application/yaml", "If-Match": ifMatch ?? service.current.etag].merging(headers) { $1 }
        return try await request("PUT", "/dialplan", headers, body: plan)
    }
}

/// Calls as a test wants them.
final class FakeRunningCalls: RunningCalls {
    let calls = NIOLockedValueBox<[RunningCall]>([])
    let ended = NIOLockedValueBox<[CallID]>([])
    /// Calls that are recorded, and whether that is paused.
    let recordings = NIOLockedValueBox<[CallID: Bool]>([:])
    let placed = NIOLockedValueBox<[OutboundOrder]>([])
    /// What becomes of the next calls that are placed.
    let placing = NIOLockedValueBox<Result<RunningCall, OutboundRefusal>>(
        .success(RunningCall(state: "routing", record: RecordFixture.call(1))))
    let transfers = NIOLockedValueBox<[(CallID, AgentTransfer)]>([])
    let refusal = NIOLockedValueBox<TransferRefusal?>(nil)
    let counted = NIOLockedValueBox(SwitchboardFigures())

    func runningCalls() async -> [RunningCall] { calls.withLockedValue { $0 } }

    func pauseRecording(_ isPaused: Bool, of id: CallID) async -> Result<CallRecord.Recorded, RecordingRefusal> {
        guard calls.withLockedValue({ $0.contains { $0.record.id == id } }) else { return .failure(.noSuchCall) }
        return recordings.withLockedValue { recordings in
            guard recordings[id] != nil else { return .failure(.notRecorded) }
            recordings[id] = isPaused
            return .success(.init(file: "2026-11-28/\(id).wav", state: isPaused ? .paused : .recording))
        }
    }

    func endCall(_ id: CallID) async -> Bool {
        guard calls.withLockedValue({ $0.contains { $0.record.id == id } }) else { return false }
        ended.withLockedValue { $0.append(id) }
        return true
    }

    func placeCall(_ order: OutboundOrder) async -> Result<RunningCall, OutboundRefusal> {
        placed.withLockedValue { $0.append(order) }
        return placing.withLockedValue { $0 }
    }

    func transferCall(_ id: CallID, _ transfer: AgentTransfer) async -> Result<Void, TransferRefusal> {
        if let refusal = refusal.withLockedValue({ $0 }) { return .failure(refusal) }
        transfers.withLockedValue { $0.append((id, transfer)) }
        return .success(())
    }

    func figures() async -> SwitchboardFigures { counted.withLockedValue { $0 } }

    let orders = NIOLockedValueBox<[TwiMLOrder]>([])

    func complete(_ id: CallID) async -> Bool { await endCall(id) }

    func instruct(_ id: CallID, _ order: TwiMLOrder) async -> Bool {
        guard calls.withLockedValue({ $0.contains { $0.record.id == id && $0.state == "connected" } }) else { return false }
        orders.withLockedValue { $0.append(order) }
        return true
    }
}

extension RawConnection.Response {
    /// The body as JSON.
    var json: JSONValue? { JSONValue(parsing: body) }

    /// The members of `items` under a key, as text.
    func items(_ key: String) -> [String] {
        guard case .array(let items)? = json?["items"] else { return [] }
        return items.map { item in
            switch item[key] {
            case .string(let text): text
            case .integer(let number): "\(number)"
            default: "none"
            }
        }
    }
}
