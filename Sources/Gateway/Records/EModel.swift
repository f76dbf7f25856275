import Foundation

/// The E-model of ITU-T G.107 (06/2015) on its narrowband scale: what listeners would say of a conversation, from packet
/// loss and delay. Everything the gateway cannot measure (levels, echo, noise, send and receive sensitivity) stands at the
/// Recommendation's default, for which R is 93.2.
enum EModel {
    /// R without loss or delay: Ro − Is of the default values (G.107 table 2 and its note).
    static let defaultRating = 93.2

    /// What a codec does to R (G.113 appendix I).
    struct Codec: Sendable, Equatable {
        /// Ie, the equipment impairment without loss.
        var impairment: Double
        /// Bpl, how well it stands random packet loss.
        var robustness: Double

        /// G.711 with packet loss concealment (G.113 table I.4).
        static let g711 = Codec(impairment: 0, robustness: 25.1)
        /// G.113 gives no value for Opus on the narrowband scale. Of a phone call it passes everything on, and its concealment
        /// is not worse than that of G.711: G.711's values, on the safe side.
        static let opus = g711
        /// Heard on the narrowband scale G.722 impairs nothing; its concealment is G.711's.
        static let g722 = g711
    }

    /// Ie,eff (G.107 equation 7-29) for random loss (BurstR 1).
    /// - Parameter loss: 0 to 1.
    static func impairment(of codec: Codec, loss: Double) -> Double {
        let percent = min(max(loss, 0), 1) * 100
        return codec.impairment + (95 - codec.impairment) * percent / (percent + codec.robustness)
    }

    /// Idd (G.107 equations 7-27 and 7-28).
    /// - Parameter delay: from mouth to ear, in milliseconds.
    static func impairment(ofDelay delay: Double) -> Double {
        guard delay > 100 else { return 0 }
        let x = log2(delay / 100)
        return 25 * (pow(1 + pow(x, 6), 1 / 6) - 3 * pow(1 + pow(x / 3, 6), 1 / 6) + 2)
    }

    /// R, 0 to 100.
    static func rating(codec: Codec, loss: Double, delay: Double) -> Double {
        min(max(defaultRating - impairment(ofDelay: delay) - impairment(of: codec, loss: loss), 0), 100)
    }

    /// MOS-CQE, 1 to 4.5 (G.107 annex B, equation B-4).
    static func meanOpinionScore(rating: Double) -> Double {
        guard rating > 0 else { return 1 }
        guard rating < 100 else { return 4.5 }
        return 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6
    }
}

extension CallRecord.Leg {
    /// Packetisation and playing out, in milliseconds: a frame of 20 ms at the sender, and one waiting at the receiver.
    private static let fixedDelay = 40.0

    /// What a listener would say of this leg's sound as it reached us, 1 to 4.5 in steps of 0.01; nil for a leg without RTP, or of
    /// which nothing came. Restored packets are not lost; of the delay, half the round trip and twice the jitter are known.
    var meanOpinionScore: Double? {
        guard packetsReceived > 0, let codec else { return nil }
        let model: EModel.Codec
        switch codec.lowercased() {
        // Samples as they are lose what G.711 does when a packet is lost, and are concealed by the same means.
        case "pcmu", "pcma", "l16": model = .g711
        case "g722": model = .g722
        case "opus": model = .opus
        default: return nil
        }
        let loss = Double(max(lost - recovered, 0)) / Double(packetsReceived + max(lost, 0))
        let delay = (roundTripMilliseconds ?? 0) / 2 + 2 * jitterMilliseconds + Self.fixedDelay
        let score = EModel.meanOpinionScore(rating: EModel.rating(codec: model, loss: loss, delay: delay))
        return (score * 100).rounded() / 100
    }
}
