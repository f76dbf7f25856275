/// The codecs there are, by their RTP encoding names (RFC 3551, RFC 7587), in any case of letters.
/// A new codec is a file of its own and a line in each function here.
public enum CodecCatalogue {
    /// The names that are understood, in lower case, best first.
    public static let names = ["opus", "g722", "pcmu", "pcma"] + L16.rates.map(L16.name)

    /// The sample rates that `name` can be decoded to and encoded from without a resampler; empty for an unknown name.
    public static func rates(of name: String) -> [Int] {
        switch name.lowercased() {
        case "opus": OpusDecoder.rates
        case "g722": [G722.rate]
        case "pcmu", "pcma": [G711.rate]
        case let other: L16.rate(named: other).map { [$0] } ?? []
        }
    }

    /// A decoder of `name` that yields `rate` samples a second; nil for an unknown name or a rate it does not have.
    public static func makeDecoder(name: String, rate: Int) -> (any AudioDecoder)? {
        guard rates(of: name).contains(rate) else { return nil }
        return switch name.lowercased() {
        case "opus": OpusDecoder(rate: rate)
        case "g722": G722Decoder()
        case "pcmu": G711Decoder(law: .mu)
        case "pcma": G711Decoder(law: .a)
        default: L16Decoder(rate: rate)
        }
    }

    /// An encoder to `name` from `rate` samples a second; nil for an unknown name or a rate it does not have.
    /// - Parameter opus: cost and protection of an Opus stream; its frame length holds for every codec.
    public static func makeEncoder(
        name: String, rate: Int, opus: OpusEncoder.Settings = OpusEncoder.Settings()
    ) -> (any AudioEncoder)? {
        guard rates(of: name).contains(rate) else { return nil }
        return switch name.lowercased() {
        case "opus": OpusEncoder(rate: rate, settings: opus)
        case "g722": G722Encoder(frameMilliseconds: opus.frameMilliseconds)
        case "pcmu": G711Encoder(law: .mu, frameMilliseconds: opus.frameMilliseconds)
        case "pcma": G711Encoder(law: .a, frameMilliseconds: opus.frameMilliseconds)
        default: L16Encoder(rate: rate, frameMilliseconds: opus.frameMilliseconds)
        }
    }
}
