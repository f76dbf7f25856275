import Hummingbird

/// Who may use the API (CONTRACT 3, `http.admin_token`): whoever holds the token; without one, only a program or page on this very
/// machine, to which no proxy let somebody else through.
struct AdministratorAccess: Sendable {
    private let token: [UInt8]?

    init(token: String?) {
        self.token = token.map { Array($0.utf8) }
    }

    var hasToken: Bool { token != nil }

    /// What a request shows of itself.
    struct Credentials: Sendable {
        /// The `Authorization` field.
        var authorization: String?
        /// The peer's numeric address.
        var peer: String?
        /// Every `Host` there is.
        var hosts: [String] = []
        /// A proxy says that it stands between.
        var isForwarded = false
    }

    /// The administrator's name, for the history of dial plans: `admin` for the token's holder, `local` for somebody on this machine. Nil
    /// for everybody else.
    func administrator(_ credentials: Credentials) -> String? {
        guard let token else {
            guard credentials.peer.flatMap({ IPAddress($0) })?.isLoopback == true, !credentials.isForwarded, !credentials.hosts.isEmpty,
                credentials.hosts.allSatisfy(Self.isLoopback)
            else { return nil }
            return "local"
        }
        guard let field = credentials.authorization, let space = field.firstIndex(of: " "), field[..<space].lowercased() == "bearer" else { return nil }
        let given = field[field.index(after: space)...].drop { $0 == " " }
        return Self.isEqual(token, Array(given.utf8)) ? "admin" : nil
    }

    /// In a time that does not depend on where they differ.
    static func isEqual(_ token: [UInt8], _ given: [UInt8]) -> Bool {
        var difference: UInt8 = token.count == given.count && !token.isEmpty ? 0 : 1
        for index in given.indices {
            difference |= given[index] ^ (token.isEmpty ? 0 : token[index % token.count])
        }
        return difference == 0
    }

    /// `localhost`, 127.0.0.0/8 or [::1], with any port. Names that merely resolve to this machine are not: a foreign page can have one.
    static func isLoopback(_ host: String) -> Bool {
        guard let value = HostPort(host, portRequired: false) else { return false }
        return value.host.lowercased() == "localhost" || (value.isNumeric && IPAddress(value.host)?.isLoopback == true)
    }
}

extension AdministratorAccess {
    func administrator(_ request: Request, _ context: SignallingContext) -> String? {
        let headers = request.headers
        let isForwarded = headers.contains { field in
            let name = field.name.canonicalName
            return name == "forwarded" || name.hasPrefix("x-forwarded") || name == "x-real-ip" || name == "via"
        }
        return administrator(
            Credentials(
                authorization: headers[values: .authorization].count == 1 ? headers[.authorization] : nil,
                peer: context.remoteAddress?.ipAddress,
                hosts: [request.head.authority].compactMap { $0 } + headers[values: .host], isForwarded: isForwarded))
    }
}
