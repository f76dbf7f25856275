import HTTPTypes
import Hummingbird

/// `/api/v1`: which path is whose.
enum APIRoutes {
    /// - Parameter policy: which pages may ask at all.
    static func add(_ services: APIServices, policy: OriginPolicy, to router: Router<SignallingContext>) {
        let administrators = router.group()
            .add(middleware: OriginMiddleware(policy: policy, methods: "GET, POST, PUT, DELETE, OPTIONS"))
            .add(middleware: AdministratorMiddleware(access: services.access, policy: policy))
        RecordsController(records: services.records).addRoutes(to: administrators)
        CallsController(calls: services.calls, records: services.records).addRoutes(to: administrators)
        RecordingController(calls: services.calls, records: services.records, folder: services.recordings).addRoutes(to: administrators)
        DirectoryController(
            configuration: { services.dialplan.configuration }, calls: services.calls, health: services.agentHealth
        ).addRoutes(to: administrators)
        DialplanController(service: services.dialplan, records: services.records, access: services.access).addRoutes(to: administrators)
        let agents = router.group().add(middleware: OriginMiddleware(policy: policy, methods: "GET, POST, OPTIONS"))
        TwilioController(calls: services.calls, records: services.records, configuration: { services.dialplan.configuration }).addRoutes(to: agents)
        administrators.resource("/api/v1/openapi.json", [.get: { _, _ in
            APIResponse.text(Array(OpenAPIDocument.text.utf8), type: MediaTypes.json)
        }])
    }
}
