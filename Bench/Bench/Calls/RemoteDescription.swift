import RTCStack
import SDP

/// What the bench needs of a gateway's description.
struct RemoteDescription {
    let text: String
    /// On 127.0.0.1: of the first candidate there is on it, else of the media line.
    let port: UInt16
    let credentials: ICECredentials?
    let fingerprints: [DTLSFingerprint]
    let isDTLSActive: Bool

    init(_ text: String) throws {
        self.text = text
        let description: SessionDescription
        do {
            description = try SessionDescription(parsing: text)
        } catch {
            throw BenchFailure("the gateway's description does not parse (\(error)):\n\(text)")
        }
        guard let media = description.media.first, media.port > 0 else { throw BenchFailure("no media in the gateway's description:\n\(text)") }
        let candidate = media.candidates.first { $0.component == 1 && $0.transport.lowercased() == "udp" && $0.address == "127.0.0.1" }
        guard let port = UInt16(exactly: candidate?.port ?? media.port) else { throw BenchFailure("no port in the gateway's description") }
        self.port = port
        credentials = (media.iceUsernameFragment ?? description.iceUsernameFragment).flatMap { ufrag in
            (media.icePassword ?? description.icePassword).map { ICECredentials(ufrag: ufrag, password: $0) }
        }
        fingerprints = (media.fingerprints + description.fingerprints).map { DTLSFingerprint(hash: $0.hashName, bytes: $0.bytes) }
        isDTLSActive = (media.setup ?? description.setup) == .active
    }
}
