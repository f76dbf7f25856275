import NIOCore

/// A gateway that the calls go through.
protocol CallSubject: AnyObject {
    var name: String { get }
    var process: MeasuredProcess { get }
    /// The ends of all calls, in order; nothing is sent yet.
    var calls: [LoadCall] { get }
    /// Has the gateway join the two ends of a call; `meanwhile` is to be called while waiting.
    /// - Throws: `CallRefused` when the gateway has no time for it
    func connect(_ call: LoadCall, now: NIODeadline, meanwhile: () -> Void) throws
    /// Answers what the gateway sent beside sound.
    func poll() throws
    func disconnect(_ call: LoadCall, meanwhile: () -> Void) throws
}

/// What the calls are made of, made once.
struct CallMaterial {
    let browser: CallSound
    let phone: CallSound
    /// Calls that measure delay; the others speak.
    var probes: Int
    /// Puts something between the ends of a call and their transports: number of the call, browser, phone.
    var wrap: (Int, any LoadTransport, any LoadTransport) -> (any LoadTransport, any LoadTransport) = { ($1, $2) }

    init() throws {
        browser = try .browser()
        phone = try .phone()
        probes = 2
    }

    /// Every call says the same, from its beginning.
    init(browser: CallSound, phone: CallSound) {
        self.browser = browser
        self.phone = phone
        probes = 0
    }

    /// A call with an agent that echoes.
    func makeCall(_ number: Int, echoing transport: any LoadTransport, isBrowser: Bool) throws -> LoadCall {
        let transport = wrap(number, transport, transport)
        let leg = try LoadLeg(isBrowser ? browser : phone, over: isBrowser ? transport.0 : transport.1, number: number, isProbe: number < probes)
        return LoadCall(number: number, echoing: leg, isBrowser: isBrowser)
    }

    func makeCall(_ number: Int, browser browserTransport: any LoadTransport, phone phoneTransport: any LoadTransport) throws -> LoadCall {
        let isProbe = number < probes
        let ends = wrap(number, browserTransport, phoneTransport)
        return LoadCall(
            number: number, browser: try LoadLeg(browser, over: ends.0, number: number, isProbe: isProbe),
            phone: try LoadLeg(phone, over: ends.1, number: number, isProbe: isProbe))
    }
}
