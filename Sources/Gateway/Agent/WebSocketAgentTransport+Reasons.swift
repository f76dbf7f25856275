import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

extension WebSocketAgentTransport {
    /// A network error in words an operator can act on, as a clause.
    static func reason(_ error: any Error) -> String {
        switch error {
        case let refusal as Refusal: refusal.reason
        case let error as NIOConnectionError: reason(error)
        case let error as IOError: String(cString: strerror(error.errnoCode)).lowercased()
        case ChannelError.connectTimeout: "it did not answer in time"
        case ChannelError.inappropriateOperationForState, ChannelError.eof, HTTPParserError.invalidEOFState:
            "it closed the connection before it answered"
        case let error as NIOHTTPClientUpgradeError:
            error == .upgraderDeniedUpgrade ? "its Sec-WebSocket-Accept is wrong" : "it did not switch to WebSocket"
        case is HTTPParserError: "it does not speak HTTP"
        case NIOSSLError.uncleanShutdown: "it broke the TLS connection off"
        case let error as NIOSSLExtraError where error == .failedToValidateHostname: "its TLS certificate is for another name"
        case NIOSSLError.unableToValidateCertificate: "its TLS certificate is not trusted"
        case NIOSSLError.handshakeFailed(let cause): reason(handshake: cause)
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: "TLS failed: \(error)"
        default: "\(error)"
        }
    }

    private static func reason(_ error: NIOConnectionError) -> String {
        if let last = error.connectionErrors.last { return reason(last.error) }
        if error.dnsAError != nil || error.dnsAAAAError != nil { return "its name could not be resolved" }
        return "it has no address"
    }

    private static func reason(handshake cause: BoringSSLError) -> String {
        let text = "\(cause)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") { return "its TLS certificate is not trusted" }
        if text.contains("WRONG_VERSION_NUMBER") { return "it does not speak TLS" }
        return "TLS failed: \(text)"
    }
}
