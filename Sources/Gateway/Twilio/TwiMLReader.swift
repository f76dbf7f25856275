/// Reads TwiML. What cannot be done as it is written is refused as a whole, before the caller hears anything of it: half a document
/// would surprise more than the route's next step does.
enum TwiMLReader {
    typealias Failure = MarkupReader.Failure

    static func read(_ bytes: [UInt8]) throws(Failure) -> TwiML {
        let root = try MarkupReader.read(bytes)
        guard root.name == "Response" else { throw Failure(line: root.line, reason: "the root element is <\(root.name)>, not <Response>") }
        var document = TwiML()
        for element in root.children { document.verbs.append(try verb(element)) }
        return document
    }

    private static func verb(_ element: MarkupElement) throws(Failure) -> TwiML.Verb {
        switch element.name {
        case "Connect": return .connect(try connect(element))
        case "Dial": return .dial(try dial(element))
        case "Play":
            guard element.attributes["digits"] == nil else { throw Failure(line: element.line, reason: "<Play digits> is not built; give the URL of a WAV file") }
            let loop = try number(element, "loop", 1, in: 0...TwiML.mostLoops)
            return .play(url: try required(element.text, "the URL of a WAV file", element), times: loop == 0 ? TwiML.mostLoops : loop)
        case "Pause": return .pause(seconds: try number(element, "length", 1, in: 1...600))
        case "Hangup": return .hangUp
        case "Redirect": return .redirect(try request(required(element.text, "a URL", element), element))
        case "Reject":
            switch element.attributes["reason"] ?? "rejected" {
            case "rejected": return .reject(status: 603)
            case "busy": return .reject(status: 486)
            default: throw Failure(line: element.line, reason: "the reason of <Reject> is rejected or busy")
            }
        case "Say":
            throw Failure(line: element.line, reason: "<Say> is refused: the gateway has no speech synthesis; use <Play> or let the agent speak")
        case "Start":
            throw Failure(line: element.line, reason: "<Start> is refused: its stream goes one way only; use <Connect><Stream>")
        default: throw Failure(line: element.line, reason: "<\(element.name)> is not built")
        }
    }

    private static func connect(_ element: MarkupElement) throws(Failure) -> TwiML.Stream {
        guard element.children.count == 1, let child = element.children.first, child.name == "Stream" else {
            throw Failure(line: element.line, reason: "<Connect> takes one <Stream> and nothing else")
        }
        if let track = child.attributes["track"], track != "inbound_track" {
            throw Failure(line: child.line, reason: "a stream of <Connect> carries inbound_track only")
        }
        var stream = TwiML.Stream(url: child.attributes["url"], name: child.attributes["name"], callback: try callback(child))
        if let url = stream.url, WebSocketAgentTransport.URL(url) == nil {
            throw Failure(line: child.line, reason: "the url of <Stream> is no ws:// or wss:// URL")
        }
        for parameter in child.children {
            guard parameter.name == "Parameter", let name = parameter.attributes["name"], let value = parameter.attributes["value"] else {
                throw Failure(line: parameter.line, reason: "<Stream> takes <Parameter name value> only")
            }
            stream.parameters[name] = value
        }
        return stream
    }

    private static func dial(_ element: MarkupElement) throws(Failure) -> TwiML.Dial {
        var dial = TwiML.Dial()
        dial.timeout = try number(element, "timeout", dial.timeout, in: 1...600)
        dial.callerID = element.attributes["callerId"]
        if let action = element.attributes["action"] { dial.action = try request(action, element) }
        if !element.text.isEmpty { dial.targets.append(element.text) }
        for child in element.children {
            switch child.name {
            case "Number", "Sip": dial.targets.append(try required(child.text, "a number or address", child))
            case "Client":
                let identity = child.children.first { $0.name == "Identity" }?.text ?? child.text
                dial.targets.append(try required(identity, "a client's name", child))
            default: throw Failure(line: child.line, reason: "<\(child.name)> in <Dial> is not built")
            }
            dial.callbacks[dial.targets.count - 1] = try callback(child)
        }
        guard (1...TwiML.mostTargets).contains(dial.targets.count) else {
            throw Failure(line: element.line, reason: "<Dial> takes one to ten targets")
        }
        return dial
    }

    private static func callback(_ element: MarkupElement) throws(Failure) -> StatusCallback? {
        guard let url = element.attributes["statusCallback"], !url.isEmpty else { return nil }
        guard let isGet = StatusCallback.isGet(element.attributes["statusCallbackMethod"]) else {
            throw Failure(line: element.line, reason: "the method is POST or GET")
        }
        let words = element.attributes["statusCallbackEvent"]?.split(separator: " ").map(String.init) ?? []
        guard let events = StatusCallback.events(words) else {
            throw Failure(line: element.line, reason: "statusCallbackEvent is made of initiated, ringing, answered and completed")
        }
        return StatusCallback(url: url, events: events, isGet: isGet)
    }

    private static func request(_ url: String, _ element: MarkupElement) throws(Failure) -> TwiML.Request {
        switch element.attributes["method"]?.uppercased() ?? "POST" {
        case "POST": return TwiML.Request(url: url)
        case "GET": return TwiML.Request(url: url, isGet: true)
        default: throw Failure(line: element.line, reason: "the method is POST or GET")
        }
    }

    private static func required(_ text: String, _ what: String, _ element: MarkupElement) throws(Failure) -> String {
        guard !text.isEmpty else { throw Failure(line: element.line, reason: "<\(element.name)> needs \(what)") }
        return text
    }

    private static func number(_ element: MarkupElement, _ name: String, _ usual: Int, in range: ClosedRange<Int>) throws(Failure) -> Int {
        guard let text = element.attributes[name] else { return usual }
        guard let value = Int(text), range.contains(value) else {
            throw Failure(line: element.line, reason: "\(name) of <\(element.name)> is a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
}
