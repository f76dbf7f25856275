import Testing

@testable import Gateway

@Suite("E-model (ITU-T G.107)")
struct EModelTests {
    @Test("R to MOS, as annex B of the Recommendation tabulates it", arguments: [
        (93.2, 4.41), (90, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58), (0, 1), (-5, 1), (100, 4.5), (120, 4.5),
    ] as [(Double, Double)])
    func scores(rating: Double, score: Double) {
        #expect(abs(EModel.meanOpinionScore(rating: rating) - score) < 0.0061)
    }

    @Test("random loss of G.711 with concealment: (95 − Ie) · Ppl / (Ppl + Bpl)", arguments: [
        (0, 0), (0.01, 3.63985), (0.02, 7.01107), (0.05, 15.78073), (0.251, 47.5), (1, 75.93925), (-1, 0), (7, 75.93925),
    ] as [(Double, Double)])
    func loss(loss: Double, impairment: Double) {
        #expect(abs(EModel.impairment(of: .g711, loss: loss) - impairment) < 0.00001)
    }

    @Test("delay impairs from 100 ms on, as G.107 gives it", arguments: [
        // Equation 7-27 worked out by hand: x is 1 at 200 ms and 2 at 400 ms.
        (0, 0), (100, 0), (200, 3.044), (400, 24.070),
    ] as [(Double, Double)])
    func delay(delay: Double, impairment: Double) {
        #expect(abs(EModel.impairment(ofDelay: delay) - impairment) < 0.001)
    }

    @Test("a leg's score falls with loss, delay and jitter, and rises with restored packets")
    func legs() throws {
        var leg = CallRecord.Leg(kind: .trunk, codec: "PCMU", packetsReceived: 1000)
        #expect(leg.meanOpinionScore == 4.41)
        leg.lost = 50
        let lossy = try #require(leg.meanOpinionScore)
        #expect(lossy < 4.1)
        leg.recovered = 50
        #expect(leg.meanOpinionScore == 4.41)
        leg.roundTripMilliseconds = 600
        let late = try #require(leg.meanOpinionScore)
        #expect(late < 3.9)
        leg.jitterMilliseconds = 40
        #expect(try #require(leg.meanOpinionScore) < late)
        leg.recovered = 900
        #expect(leg.meanOpinionScore != nil)
    }

    @Test("no score without sound, and none for agents")
    func none() {
        #expect(CallRecord.Leg(kind: .browser, codec: "opus").meanOpinionScore == nil)
        #expect(CallRecord.Leg(kind: .agent, name: "demo", packetsReceived: 5).meanOpinionScore == nil)
        #expect(CallRecord.Leg(kind: .browser, codec: "opus", packetsReceived: 1, lost: 0).meanOpinionScore == 4.41)
    }
}
