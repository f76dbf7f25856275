/// Which pages may call through this gateway: those of the allowed origins, those the gateway serves itself, and
/// programs, which send no `Origin` at all.
struct OriginPolicy: Sendable {
    enum Verdict: Equatable {
        /// No `Origin` came: no browser, or a navigation.
        case none
        /// The page came from this gateway.
        case same
        /// A page of one of the configured origins; the answer must name its origin.
        case allowed(String)
        case foreign
    }

    private let origins: Set<String>

    /// - Parameter origins: as `http.origins` has them: lower case, without a path or the scheme's own port.
    init(origins: [String]) {
        self.origins = Set(origins)
    }

    /// - Parameters:
    ///   - origin: the `Origin` field as it came; nil if none came.
    ///   - host: the `Host` field as it came.
    func verdict(origin: String?, host: String?) -> Verdict {
        guard let origin else { return .none }
        let lowercased = origin.lowercased()
        if let host, let authority = Self.authority(of: lowercased), authority == Self.authority(host.lowercased(), likeOrigin: lowercased) {
            return .same
        }
        return origins.contains(lowercased) ? .allowed(origin) : .foreign
    }

    /// Host and port of an origin. The scheme is not compared: behind a proxy that ends TLS the gateway cannot know its own.
    private static func authority(of origin: String) -> String? {
        guard let scheme = ["https://", "http://"].first(where: { origin.hasPrefix($0) }) else { return nil }
        let authority = origin.dropFirst(scheme.count)
        return authority.isEmpty ? nil : String(authority)
    }

    /// A `Host` without the port an origin of that scheme leaves out.
    private static func authority(_ host: String, likeOrigin origin: String) -> String {
        let ownPort = origin.hasPrefix("https://") ? ":443" : ":80"
        return host.hasSuffix(ownPort) ? String(host.dropLast(ownPort.count)) : host
    }
}
