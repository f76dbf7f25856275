/// Why a call cannot be ordered: its text could not be written into a SIP message, or would say more than it should.
public enum SIPOrderError: Error, Hashable, Sendable, CustomStringConvertible {
    case noTarget
    /// The dialled number: empty, too long, or with control characters.
    case number
    case callerID
    /// A target's host is no host name and no address, or its address is not numeric.
    case host(String)
    /// A line end, NUL or other control character, or no token as name.
    case malformedHeader(String)
    /// A field that the endpoint itself writes, or that would ask for what it cannot do.
    case reservedHeader(String)
    case tooManyHeaders
    /// The handle was not made by ``SIPCallID/outgoing(_:)``.
    case handle

    public var description: String {
        switch self {
        case .noTarget: "the call has no host to go to"
        case .number: "the number cannot be dialled: it is empty, longer than \(SIPUserPart.maximumLength) bytes or holds control characters"
        case .callerID: "the caller id is longer than \(SIPUserPart.maximumLength) bytes or holds control characters"
        case .host(let host): "\(SIPOrderError.printable(host)) is no host"
        case .malformedHeader(let name): "the header \(SIPOrderError.printable(name)) is no SIP header field: a name or value with forbidden characters"
        case .reservedHeader(let name): "the header \(SIPOrderError.printable(name)) is the gateway's own to write"
        case .tooManyHeaders: "more than \(SIPCallOrder.maximumHeaders) headers"
        case .handle: "the call's handle is not one for outgoing calls"
        }
    }

    private static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(80).map { $0.value < 32 || $0.value == 127 ? "?" : $0 }))
    }
}
