import Transcode

/// A tone on a phone line that says who or what is there. Its raw value labels it in metrics.
enum LineTone: String, Sendable, CaseIterable {
    case faxCalling = "fax_cng"
    case faxAnswering = "fax_ced"
    case ringing, busy, congestion
    case specialInformation = "special_information"

    init(_ event: CallProgressDetector.Event) {
        self =
            switch event {
            case .ringing: .ringing
            case .busy: .busy
            case .congestion: .congestion
            case .specialInformation: .specialInformation
            }
    }

    /// What an agent is told of it.
    var json: String { "{\"tone\":\"\(rawValue)\"}" }

    /// In a call's turn of events.
    /// - Parameter who: a noun with its article, the first word of the sentence.
    func sentence(of who: String) -> String {
        switch self {
        case .faxCalling: "\(who) is a fax machine: it sends the calling tone (CNG)."
        case .faxAnswering: "\(who) is a fax machine or a modem: it sends the answer tone (CED)."
        case .ringing: "\(who)'s line sounds the ringing tone."
        case .busy: "\(who)'s line sounds the busy tone."
        case .congestion: "\(who)'s line sounds the congestion tone."
        case .specialInformation: "\(who)'s line sounds the tones of special information."
        }
    }
}
