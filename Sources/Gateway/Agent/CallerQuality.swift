/// How the caller's leg does, for agents that want to know.
struct CallerQuality: Equatable {
    var lossPercent: Double
    var jitterMilliseconds: Double
    /// Of the caller's sound, made up by a decoder in place of what was lost.
    var concealedMilliseconds = 0
    /// Nil until the peer reported.
    var roundTripMilliseconds: Double?
    var meanOpinionScore: Double?
    /// As descriptions name it.
    var codec: String?
    /// From the caller's end of speech to the agent's first sound on the wire, of the last turn.
    var answerMilliseconds: Int?
}

extension CallerQuality {
    init(_ figures: LegFigures) {
        let leg = CallRecord.Leg(.trunk, name: nil, figures)
        let expected = figures.rtp.packetsReceived + max(figures.rtp.lost, 0)
        lossPercent = expected > 0 ? Double(max(figures.rtp.lost, 0)) * 100 / Double(expected) : 0
        concealedMilliseconds = figures.inbound.concealedMilliseconds
        jitterMilliseconds = figures.rtp.jitterMilliseconds
        roundTripMilliseconds = figures.rtp.roundTripMilliseconds
        meanOpinionScore = leg.meanOpinionScore
        codec = figures.codec
    }
}
