/// What whoever ordered a call is told of it: a call that rings, was answered, or is over.
struct CallNotice: Sendable, Equatable {
    var call: CallID
    /// Where it goes.
    var url: WebSocketAgentTransport.URL
    /// The call as the API shows it.
    var body: JSONValue = .null
    /// Nil: the body is sent.
    var form: Form?

    /// A notice in Twilio's shape, in place of JSON.
    struct Form: Sendable, Equatable {
        var fields: [FormField]
        /// The fields stand in the address.
        var isGet: Bool
        /// `X-Twilio-Signature`.
        var signature: String?
    }

    /// What is sent.
    var content: WebhookContent {
        guard let form else { return WebhookContent(type: MediaTypes.json, bytes: Array(JSONText.encode(body))) }
        return WebhookContent(
            isGet: form.isGet, type: FormField.mediaType, bytes: Array(FormField.write(form.fields).utf8),
            headers: form.signature.map { [FormField(TwilioSignature.header, $0)] } ?? [])
    }
}
