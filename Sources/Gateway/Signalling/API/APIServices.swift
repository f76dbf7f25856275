/// What the API answers from.
struct APIServices: Sendable {
    var records: RecordStore
    var calls: any RunningCalls
    var dialplan: DialplanService
    var access: AdministratorAccess
    var agentHealth = AgentHealth()
    var recordings = RecordingFolder(path: Configuration.Recordings().folder)
}
