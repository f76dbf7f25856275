import NIOCore

/// A gateway that the calls go through.
protocol CallSubject: AnyObject {
    var name: String { get }
    var process: MeasuredProcess { get }
    /// The ends of all calls, in order; nothing is sent yet.
    var calls: [LoadCall] { get }
    /// Has the gateway join the two ends of a call; `meanwhile` is to be called while waiting.
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
    let probes = 2

    init() throws {
        browser = try .browser()
        phone = try .phone()
    }

    /// A call with an agent that echoes.
    func makeCall(_ number: Int, echoing transport: any LoadTransport, isBrowser: Bool) throws -> LoadCall {
        let leg = try LoadLeg(isBrowser ? browser : phone, over: transport, number: number, isProbe: number < probes)
        return LoadCall(number: number, echoing: leg, isBrowser: isBrowser)
    }

    func makeCall(_ number: Int, browser browserTransport: any LoadTransport, phone phoneTransport: any LoadTransport) throws -> LoadCall {
        let isProbe = number < probes
        return LoadCall(
            number: number, browser: try LoadLeg(browser, over: browserTransport, number: number, isProbe: isProbe),
            phone: try LoadLeg(phone, over: phoneTransport, number: number, isProbe: isProbe))
    }
}
