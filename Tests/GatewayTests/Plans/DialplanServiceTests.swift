import Foundation
import NIOConcurrencyHelpers
import Testing

@testable import Gateway

@Suite("Reload of the dial plan", .timeLimit(.minutes(5)))
struct DialplanServiceTests {
    private final class Fixture {
        let folder: ConfigurationFolder
        let records: RecordFixture
        let store: RecordStore
        let service: DialplanService
        let applied = NIOLockedValueBox<[(Configuration, Int)]>([])

        init() throws {
            folder = try ConfigurationFolder([
                "tandem.yaml": "agents: { demo: { builtin: parrot } }\ntrunks: { a: { accept_from: [192.0.2.1] } }\nlimits: { max_calls: 5 }\n",
                "dialplan.yaml": "routes: [{ name: one, do: [{ agent: demo }] }]\n",
            ])
            records = try RecordFixture()
            store = try records.open()
            let (configuration, plan, _) = Configuration.loadWithText(path: folder.path + "/tandem.yaml", environment: [:])
            service = DialplanService(
                configuration: try #require(configuration), plan: try #require(plan), environment: [:], history: store, logger: RecordFixture.logger,
                apply: { [applied] configuration, plan in applied.withLockedValue { $0.append((configuration, plan.routes.count)) } })
        }

        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/" + name))
        }

        var count: Int { applied.withLockedValue { $0.count } }
    }

    @Test("SIGHUP takes dial plan, trunks, agents and limits together")
    func reload() async throws {
        let fixture = try Fixture()
        let two = "routes:\n- { name: one, when: { via: b }, do: [{ agent: bot }] }\n- { name: two, do: [{ agent: bot }] }\n"
        try fixture.write("dialplan.yaml", two)
        try fixture.write(
            "tandem.yaml",
            "agents: { bot: { builtin: echo } }\ntrunks: { b: { accept_from: [192.0.2.2] } }\nlimits: { max_calls: 7 }\nhttp: { listen: 127.0.0.1:9 }\ncalls: { retention_days: 3 }\n")
        #expect(await fixture.service.reload())
        let (configuration, routes) = try #require(fixture.applied.withLockedValue { $0.last })
        #expect(routes == 2 && configuration.trunks.map(\.name) == ["b"] && configuration.agents.map(\.name) == ["bot"] && configuration.limits.maxCalls == 7)
        // What needs a restart stays as it was.
        #expect(configuration.http.listen.port == 8080)
        #expect(fixture.service.current.text == Array(two.utf8) && fixture.service.configuration.calls.retentionDays == 3)
        #expect(try await fixture.store.planVersions().map(\.author) == ["file", "file"])
        await fixture.store.close()
    }

    @Test("whatever is broken changes nothing", arguments: [
        ("dialplan.yaml", "routes: [{ name: one, do: [{ agent: nobody }] }]"), ("dialplan.yaml", "routes: ["),
        ("dialplan.yaml", "routes: [{ name: one, do: [{ agent: demo }] }]\ntests: [{ via: browser, to: x, expect: refused }]"),
        ("tandem.yaml", "agents: [}"), ("tandem.yaml", "agents: { demo: { builtin: parrot } }\nlimits: { max_calls: many }"), ("tandem.yaml", "dialplan: none.yaml"),
    ])
    func broken(file: String, text: String) async throws {
        let fixture = try Fixture()
        try fixture.write(file, text)
        let before = fixture.service.current
        #expect(await fixture.service.reload() == false)
        #expect(fixture.count == 0 && fixture.service.current.etag == before.etag && fixture.service.configuration.limits.maxCalls == 5)
        #expect(try await fixture.store.planVersions().count == 1)
        await fixture.store.close()
    }

    @Test("a plan by the API is checked against the configuration that was reloaded, and reloading it changes nothing more")
    func together() async throws {
        let fixture = try Fixture()
        let text = Array("routes: [{ name: new, do: [{ agent: bot }] }]\n".utf8)
        guard case .failure(.invalid) = await fixture.service.put(text, ifMatch: "*", author: "admin") else {
            return #expect(Bool(false), "an agent that is not there was taken")
        }
        try fixture.write("tandem.yaml", "agents: { demo: { builtin: parrot }, bot: { builtin: echo } }\n")
        #expect(await fixture.service.reload())
        guard case .success(let change) = await fixture.service.put(text, ifMatch: "*", author: "admin") else {
            return #expect(Bool(false), "the plan was not taken")
        }
        #expect(change.diff.lines == ["+ route “new”", "- route “one”"])
        #expect(await fixture.service.reload())
        #expect(try await fixture.store.planVersions().map(\.author) == ["admin", "file"])
        await fixture.store.close()
    }

    @Test("a history that cannot be written keeps no plan from coming into force")
    func withoutHistory() async throws {
        let fixture = try Fixture()
        try await fixture.store.pool.write { try $0.execute(sql: "DROP TABLE plans") }
        guard case .success(let change) = await fixture.service.put(Array("routes: []\n".utf8), ifMatch: "*", author: "admin") else {
            return #expect(Bool(false), "the plan was not taken")
        }
        #expect(change.version == nil && fixture.count == 1)
        await fixture.store.close()
    }
}
