import Glibc

/// The one line on standard output that says everything is bound (CONTRACT section 2).
struct ReadyLine: CustomStringConvertible {
    var http: Configuration.Listen
    var sip: [SIPListenAddress]
    /// Addresses browsers are told, best first.
    var candidates: [String]
    /// UDP ports of the media loops.
    var ports: ClosedRange<Int>

    var description: String {
        let sip = sip.map(\.description).joined(separator: ",")
        let candidate = candidates.first ?? "none"
        let host = candidate.contains(":") ? "[\(candidate)]" : candidate
        return "tandem ready http=http://\(http) sip=\(sip) webrtc=\(host):\(ports.lowerBound)-\(ports.upperBound)"
    }

    func print() {
        Swift.print(self)
        fflush(nil)
    }
}
