import NIOCore

/// What goes on in a dialog beside its session.
extension Dialog {
    /// A text of ours, sent or waiting for those before it.
    struct Text: Sendable {
        let reference: Int64
        let contentType: String
        let body: [UInt8]
    }

    /// A REFER of ours and what was heard of it.
    struct Referral: Sendable {
        /// Refer-To, as a value.
        let target: String
        /// When it has failed unless more is heard.
        let deadline: NIODeadline
        /// CSeq number of the request, which names the subscription.
        var sequence: UInt32 = 0
        var isAccepted = false
        var isRinging = false
        var isOver = false
    }

    /// How the far end takes texts: by MESSAGE unless it says that it does not (Allow); nil: not at all.
    var textMethod: String? {
        if allows.isEmpty || allows.contains("MESSAGE") { return "MESSAGE" }
        return allows.contains("INFO") ? "INFO" : nil
    }

    static func allows(_ headers: [SIPHeader]) -> [String] { headers.tokens("allow").map { $0.uppercased() } }
}
