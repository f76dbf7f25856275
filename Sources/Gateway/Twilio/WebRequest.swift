import NIOCore

/// A request of ours to somebody else's HTTP server: a voice webhook, or a file to be played.
struct WebRequest: Sendable, Equatable {
    var url: String
    var isGet: Bool
    /// Of a POST, its body.
    var form: [FormField] = []
    /// Of a POST, its body in place of a form.
    var json: [UInt8]?
    var headers: [FormField] = []
    /// Bytes of the answer's body.
    var limit: Int
    /// From the look-up of the name to the last byte of the answer.
    var time: TimeAmount

    /// Why there is no answer to use, as a clause that goes on from "it".
    struct Failure: Error, Equatable {
        var reason: String
    }
}
