import NIOCore

/// Offers one call after the other, whether the gateway takes them or not, and lets those that it took talk.
struct OverloadLoad {
    /// Between one call and the next.
    private static let pace = TimeAmount.milliseconds(40)
    /// From a call's first packet on, before what is lost of it counts.
    private static let warmUp = TimeAmount.seconds(1)

    let subject: any CallSubject
    /// How long all talk once all were offered.
    let seconds: Int64

    func run() throws -> OverloadFigures {
        let load = CallLoad(subject: subject, seconds: 0)
        var admitted: [LoadCall] = []
        var fresh: [(call: LoadCall, begun: NIODeadline?)] = []
        var counted: [LoadCall] = []
        /// Begins to count what is lost of calls that have talked for a while.
        func look() {
            let now = NIODeadline.now()
            for index in fresh.indices where fresh[index].begun == nil && fresh[index].call.hasBegun { fresh[index].begun = now }
            let isWarm = { (entry: (call: LoadCall, begun: NIODeadline?)) in entry.begun.map { now - $0 > Self.warmUp } ?? false }
            for entry in fresh where isWarm(entry) {
                entry.call.legs.forEach { $0.beginWindow() }
                counted.append(entry.call)
            }
            fresh.removeAll(where: isWarm)
        }
        for call in subject.calls {
            do {
                try subject.connect(call, now: .now(), meanwhile: load.meanwhile)
                admitted.append(call)
                fresh.append((call, nil))
            } catch is CallRefused {}
            try load.turn(for: Self.pace)
            look()
        }
        for _ in 0..<seconds {
            try load.turn(for: .seconds(1))
            look()
        }
        let figures = OverloadFigures(offered: subject.calls.count, admitted: admitted.count, talking: counted)
        admitted.flatMap(\.legs).forEach { $0.end() }
        for call in admitted { try? subject.disconnect(call, meanwhile: load.meanwhile) }
        return figures
    }
}

/// The gateway says that it takes no more calls: 503.
struct CallRefused: Error {}

/// What became of more calls than a gateway has time for.
struct OverloadFigures {
    let offered: Int
    let admitted: Int
    /// Admitted calls of which sound never came to both ends' sockets.
    let neverUp: Int
    let sent: Int
    let lost: Int
    /// Milliseconds to the phones.
    let delays: [Double]
    /// Frames that the generator sent late.
    let late: Int

    init(offered: Int, admitted: Int, talking: [LoadCall]) {
        self.offered = offered
        self.admitted = admitted
        neverUp = admitted - talking.count
        let legs = talking.flatMap(\.legs)
        sent = legs.reduce(0) { $0 + $1.counts.sent }
        lost = legs.reduce(0) { $0 + max($1.counts.lost, $1.undelivered) }
        late = legs.reduce(0) { $0 + $1.counts.late }
        delays = talking.compactMap(\.phone).flatMap(\.delays)
    }
}
