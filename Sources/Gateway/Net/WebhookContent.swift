/// What a web server of somebody else's is sent.
struct WebhookContent: Sendable, Equatable {
    /// Then there is no body.
    var isGet = false
    /// The body's media type.
    var type: String
    var bytes: [UInt8]
    var headers: [FormField] = []
}
